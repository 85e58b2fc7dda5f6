import { refusal } from '../../src/kube/client/errors.ts';
import type { Call } from '../../src/kube/transport/transport.ts';
import type { Answer, ApiRequest } from '../../sandbox/apiserver/request.ts';

/** A call as the embedded API server takes it. */
export function requestOf(call: Call, signal: AbortSignal): ApiRequest {
  return {
    method: call.method,
    path: call.path,
    query: new URLSearchParams(call.query),
    headers: {
      accept: call.accept ?? 'application/json',
      ...(call.body !== undefined && { 'content-type': call.contentType ?? 'application/json' }),
    },
    body: call.body === undefined ? '' : JSON.stringify(call.body),
    signal,
  };
}

/** The parsed body of an answer. @throws KubeError when it refuses */
export function contentOf(call: Call, { status, headers, body }: Answer): unknown {
  const content = typeof body === 'string' ? (JSON.parse(body) as unknown) : undefined;
  if (status >= 200 && status < 300) return kept(call, content);
  throw refusal(call, status, content, headers['retry-after']);
}

/** A list with what the call keeps of its items. */
function kept({ keep }: Call, content: unknown): unknown {
  const { items } = (content ?? {}) as { items?: unknown[] | null };
  return keep ? { ...(content as object), items: items?.map(keep) } : content;
}
