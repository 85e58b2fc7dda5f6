import {
  TokenService,
  type TokenServiceOptions,
} from '../../../../sandbox/registries/ibm-registry-tokens/token-service.ts';
import type { Answer, Request } from '../../../../sandbox/registries/shared/message.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';

export const START = Date.parse('2026-01-01T00:00:00Z');
export const HOUR = 3_600_000;
export const ACCOUNT = '0123456789abcdef0123456789abcdef';
export const OTHER_ACCOUNT = 'fedcba9876543210fedcba9876543210';
export const KEY = 'first-api-key';
export const OTHER_KEY = 'second-api-key';
export const HOST = 'registry.ng.bluemix.net';
export const EXCHANGE_FORM = { grant_type: 'urn:ibm:params:oauth:grant-type:apikey', apikey: KEY };

export interface Fixture {
  clock: VirtualClock;
  service: TokenService;
}

/** A service of two accounts on a clock that the test turns. */
export function fixture(options: Partial<TokenServiceOptions> = {}): Fixture {
  const clock = new VirtualClock(START);
  const service = new TokenService({
    clock,
    host: HOST,
    apiKeys: [
      { key: KEY, accountId: ACCOUNT },
      { key: OTHER_KEY, accountId: OTHER_ACCOUNT },
    ],
    ...options,
  });
  return { clock, service };
}

export function call(
  service: TokenService,
  method: string,
  path: string,
  request: Partial<Request> = {},
): Promise<Answer> {
  return service.handle({ method, path, headers: {}, body: '', ...request });
}

export function postForm(
  service: TokenService,
  path: string,
  fields: Readonly<Record<string, string>>,
): Promise<Answer> {
  return call(service, 'POST', path, {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
  });
}

export function bodyOf(answer: Answer): Record<string, unknown> {
  return JSON.parse(answer.body) as Record<string, unknown>;
}

/** Exchanges an API key; the headers that the token API wants. */
export async function signIn(
  service: TokenService,
  key = KEY,
  account = ACCOUNT,
): Promise<Record<string, string>> {
  const answer = await postForm(service, '/identity/token', { ...EXCHANGE_FORM, apikey: key });
  return { authorization: `Bearer ${String(bodyOf(answer).access_token)}`, account };
}

/** Mints a token; its value. */
export async function mint(
  service: TokenService,
  headers: Readonly<Record<string, string>>,
  query = '',
): Promise<string> {
  return String(bodyOf(await call(service, 'POST', `/api/v1/tokens${query}`, { headers })).token);
}

export function basic(value: string, username = 'token'): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${username}:${value}`).toString('base64')}` };
}
