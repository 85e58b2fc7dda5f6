import { Agent, fetch, type Response } from 'undici';
import type { RunningApiServer } from '../../support/api-servers.ts';
import { WatchReader } from './watch-reader.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- specifications read answers of many shapes
export type Body = any;

export interface Sending {
  body?: unknown;
  contentType?: string;
  accept?: string;
  query?: Record<string, string>;
  userAgent?: string;
}

export interface Answer {
  status: number;
  body: Body;
  headers: Headers;
}

export const JSON_PATCH = 'application/json-patch+json';
export const MERGE_PATCH = 'application/merge-patch+json';
export const STRATEGIC_PATCH = 'application/strategic-merge-patch+json';
export const APPLY_PATCH = 'application/apply-patch+yaml';

/** Plain HTTP to an API server, with what specifications do all the time. */
export class Api {
  readonly server: RunningApiServer;
  /** Minor version of the server. */
  minor = 0;
  /** Minor version of the Kubernetes whose custom resources these are. */
  customResourcesMinor = 0;
  readonly #agent: Agent;
  #names = 0;

  constructor(server: RunningApiServer) {
    this.server = server;
    const { cluster, user } = current(server);
    this.#agent = new Agent({
      allowH2: false,
      keepAliveTimeout: 1000,
      connect: {
        ...(cluster.caData && { ca: Buffer.from(cluster.caData, 'base64') }),
        ...(user.certData && { cert: Buffer.from(user.certData, 'base64') }),
        ...(user.keyData && { key: Buffer.from(user.keyData, 'base64') }),
      },
    });
  }

  async connect(): Promise<void> {
    this.minor = Number.parseInt((await this.get('/version')).body.minor, 10);
    this.customResourcesMinor = this.server.ownCustomResources ? Infinity : this.minor;
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
    await this.server.close();
  }

  get(path: string, sending: Sending = {}): Promise<Answer> {
    return this.send('GET', path, sending);
  }

  post(path: string, body: unknown, sending: Sending = {}): Promise<Answer> {
    return this.send('POST', path, { body, ...sending });
  }

  put(path: string, body: unknown, sending: Sending = {}): Promise<Answer> {
    return this.send('PUT', path, { body, ...sending });
  }

  patch(path: string, contentType: string, body: unknown, sending: Sending = {}): Promise<Answer> {
    return this.send('PATCH', path, { body, contentType, ...sending });
  }

  /** Server-side apply. */
  apply(path: string, manager: string, body: unknown, query: Record<string, string> = {}): Promise<Answer> {
    return this.patch(path, APPLY_PATCH, body, { query: { fieldManager: manager, ...query } });
  }

  delete(path: string, body?: unknown, query: Record<string, string> = {}): Promise<Answer> {
    return this.send('DELETE', path, { query, ...(body !== undefined && { body }) });
  }

  async send(method: string, path: string, sending: Sending = {}): Promise<Answer> {
    const response = await this.#fetch(method, path, sending, null);
    const text = await response.text();
    const body: Body = response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text;
    return { status: response.status, body, headers: response.headers as unknown as Headers };
  }

  async watch(path: string, query: Record<string, string> = {}, accept?: string): Promise<WatchReader> {
    const abort = new AbortController();
    const sending = { query: { watch: 'true', ...query }, ...(accept && { accept }) };
    const response = await this.#fetch('GET', path, sending, abort.signal);
    return new WatchReader(response, abort);
  }

  /** A name nothing else has. */
  name(prefix = 'thing'): string {
    return `${prefix}-${++this.#names}`;
  }

  /** Creates a namespace. @returns its name */
  async namespace(): Promise<string> {
    const name = this.name('space');
    await this.post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    return name;
  }

  #fetch(method: string, path: string, sending: Sending, signal: AbortSignal | null): Promise<Response> {
    const { body, contentType = 'application/json', accept = 'application/json', query = {} } = sending;
    const search = new URLSearchParams(query).toString();
    return fetch(`${this.server.url}${path}${search && `?${search}`}`, {
      method,
      dispatcher: this.#agent,
      signal,
      headers: {
        accept,
        'user-agent': sending.userAgent ?? 'contract/1',
        ...(body !== undefined && { 'content-type': contentType }),
      },
      body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
    });
  }
}

function current({ kubeConfig }: RunningApiServer): {
  cluster: { caData?: string };
  user: { certData?: string; keyData?: string };
} {
  return { cluster: kubeConfig.getCurrentCluster() ?? {}, user: kubeConfig.getCurrentUser() ?? {} };
}
