import { Agent } from 'undici';
import { ACCOUNT_ID, API_KEY } from '../registry/registry-process.ts';

/** Calls to the token API of 2017, and nothing else. */
export class Registry {
  readonly #url: string;
  readonly #agent: Agent;
  #headers: Record<string, string> = {};

  constructor(url: string, connections: number) {
    this.#url = url;
    this.#agent = new Agent({ connections });
  }

  async login(): Promise<void> {
    const form = { grant_type: 'urn:ibm:params:oauth:grant-type:apikey', apikey: API_KEY };
    const { body } = await this.#agent.request({
      origin: this.#url,
      path: '/identity/token',
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
    });
    const { access_token: bearer } = (await body.json()) as { access_token: string };
    this.#headers = { authorization: `Bearer ${bearer}`, account: ACCOUNT_ID };
  }

  /** @returns the token and its identifier */
  async issue(description: string): Promise<{ id: string; value: string }> {
    const query = new URLSearchParams({ description });
    const { token } = (await this.#ask('POST', `?${query.toString()}`)) as { token: string };
    const claims = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
    return { id: (JSON.parse(claims) as { jti: string }).jti, value: token };
  }

  async revoke(id: string): Promise<void> {
    await this.#ask('DELETE', `/${id}`);
  }

  async #ask(method: 'POST' | 'DELETE', path: string): Promise<unknown> {
    const { body, statusCode } = await this.#agent.request({
      origin: this.#url,
      path: `/api/v1/tokens${path}`,
      method,
      headers: this.#headers,
    });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`the registry answers ${statusCode}: ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }
}
