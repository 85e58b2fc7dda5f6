import { decodeJwt } from 'jose';
import type { HttpRequest } from '../../src/registry/http/http-client.ts';
import type { Answer } from '../../sandbox/registries/shared/message.ts';

/** The door of a registry: where images are pulled, and where the operator tries new tokens. */
export class Door {
  readonly #host: string;
  readonly #isAlive: (id: string) => boolean;

  /** @param isAlive whether there is a token of that identifier */
  constructor(host: string, isAlive: (id: string) => boolean) {
    this.#host = host;
    this.#isAlive = isAlive;
  }

  /** Challenges, grants a bearer token for a token that lives, and opens to that. */
  answer({ url, headers }: HttpRequest): Answer {
    const { Authorization: authorization } = headers;
    if (url.pathname === '/auth') return this.#grant(authorization ?? '');
    if (authorization === 'Bearer a-pass') return { status: 200, headers: {}, body: '{}' };
    const challenge = `Bearer realm="https://${this.#host}/auth",service="registry"`;
    return { status: 401, headers: { 'www-authenticate': challenge }, body: '' };
  }

  #grant(authorization: string): Answer {
    const pair = Buffer.from(authorization.slice('Basic '.length), 'base64').toString();
    const { jti } = decodeJwt(pair.slice(pair.indexOf(':') + 1));
    const headers = { 'content-type': 'application/json' };
    return jti !== undefined && this.#isAlive(jti)
      ? { status: 200, headers, body: '{"token":"a-pass"}' }
      : { status: 401, headers, body: '{}' };
  }
}
