import type { KubeConfig } from '@kubernetes/client-node';
import { Agent, request, type Dispatcher } from 'undici';

/** Whom the API server takes a request for. */
export interface User {
  user: string;
  groups?: readonly string[];
}

export interface RequestOptions {
  /** Default: the administrator. */
  as?: User;
  /** Sent as JSON. */
  body?: object;
  signal?: AbortSignal;
}

export interface JsonAnswer<T> {
  status: number;
  body: T;
  /** As kubectl shows them. */
  warnings: string[];
}

/** https://www.rfc-editor.org/rfc/rfc7234#section-5.5 */
const WARNING = /299 \S+ "((?:[^"\\]|\\.)*)"/g;

/** Asks a cluster as the administrator whom its kubeconfig names by a certificate, or as those whom that impersonates. */
export class ClusterRequests {
  readonly #server: string;
  readonly #dispatcher: Agent;

  constructor(kubeConfig: KubeConfig) {
    const { server = '', caData = '' } = kubeConfig.getCurrentCluster() ?? {};
    const { certData = '', keyData = '' } = kubeConfig.getCurrentUser() ?? {};
    const decoded = (data: string): Buffer => Buffer.from(data, 'base64');
    this.#server = server;
    this.#dispatcher = new Agent({
      connect: { ca: decoded(caData), cert: decoded(certData), key: decoded(keyData) },
      // With it undici sends several groups as one.
      allowH2: false,
      // Watches may be silent.
      bodyTimeout: 0,
    });
  }

  /** @param path with its query */
  send(
    method: string,
    path: string,
    { as, body, signal }: RequestOptions = {},
  ): Promise<Dispatcher.ResponseData> {
    return request(`${this.#server}${path}`, {
      dispatcher: this.#dispatcher,
      method,
      headers: {
        accept: 'application/json',
        ...(as && { 'impersonate-user': as.user }),
        ...(as?.groups?.length && { 'impersonate-group': [...as.groups, 'system:authenticated'] }),
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });
  }

  /** As `send`, for an answer in JSON. */
  async ask<T>(method: string, path: string, options: RequestOptions = {}): Promise<JsonAnswer<T>> {
    const { statusCode, headers, body } = await this.send(method, path, options);
    const warnings = [headers['warning'] ?? []].flat().join(', ').matchAll(WARNING);
    return {
      status: statusCode,
      body: (await body.json()) as T,
      warnings: Array.from(warnings, ([, text = '']) => text.replace(/\\(.)/g, '$1')),
    };
  }

  /** Breaks off what is under way. */
  close(): Promise<void> {
    return this.#dispatcher.destroy();
  }
}
