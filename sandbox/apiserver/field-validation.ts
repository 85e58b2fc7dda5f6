import type { Admitted } from './admission.ts';
import { mediaType } from './body.ts';
import { APPLY, invalidPatch } from './patcher.ts';
import type { ApiRequest } from './request.ts';
import type { ResourceType } from './resource-type.ts';
import { badRequest } from './status-error.ts';

/**
 * What becomes of unknown fields, by the request's `fieldValidation`: refused, warned of in headers, or ignored.
 * @returns headers for the answer
 * @throws StatusError 400 (422 for patches) when the request is strict and there are any
 */
export function strictness(
  type: ResourceType,
  request: ApiRequest,
  { unknown }: Admitted,
): Record<string, string> {
  const mode = request.query.get('fieldValidation') || 'Warn';
  if (unknown.length === 0 || mode === 'Ignore') return {};
  const complaints = unknown.map((field) => `unknown field ${JSON.stringify(field)}`);
  if (mode === 'Strict') {
    const why = `strict decoding error: ${complaints.join(', ')}`;
    if (request.method === 'PATCH' && mediaType(request) !== APPLY) throw invalidPatch(why);
    throw badRequest(`${type.kind} in version "${type.version}" cannot be handled as a ${type.kind}: ${why}`);
  }
  return { warning: complaints.map((text) => `299 - ${JSON.stringify(text)}`).join(', ') };
}
