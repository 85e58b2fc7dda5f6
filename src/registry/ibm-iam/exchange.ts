import { IBM_DIALECT } from './dialect.ts';
import type { Redacted } from '../../common/redacted.ts';
import { unreadable } from '../http/failures.ts';
import { urlBelow, type RegistryClient, type RegistryRequest } from '../http/registry-client.ts';
import { readAccessToken, type AccessToken } from './access-token.ts';

/** An API key and where it is exchanged. */
export interface ApiKey {
  /** Name of the account, for metrics. */
  account: string;
  /** Base URL of IAM. */
  endpoint: string;
  value: Redacted;
}

/**
 * Exchanges an API key for an access token: https://cloud.ibm.com/docs/account?topic=account-iamtoken_from_apikey.
 * @param now wall-clock milliseconds
 * @throws RegistryError Unauthorized when the key is not (or no longer) known; the signal's reason
 */
export async function exchangeApiKey(
  client: RegistryClient,
  { account, endpoint, value }: ApiKey,
  now: number,
  signal: AbortSignal,
): Promise<AccessToken> {
  const request: RegistryRequest = {
    account,
    region: '',
    operation: 'exchange',
    purpose: 'exchange the API key for an access token',
    // A second access token does no harm.
    creates: false,
    names: false,
    dialect: IBM_DIALECT,
    secrets: [value],
    method: 'POST',
    url: urlBelow(endpoint, '/identity/token'),
    headers: { Accept: 'application/json', 'Content-Type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'urn:ibm:params:oauth:grant-type:apikey',
      apikey: value.reveal(),
    }).toString(),
  };
  const answer = await client.ask(request, signal);
  const token = readAccessToken(answer, now);
  if (!token) throw unreadable(request, answer, answer.flaw ?? 'holds no access token');
  return token;
}
