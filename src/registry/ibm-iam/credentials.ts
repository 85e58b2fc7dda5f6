import type { Redacted } from '../../common/redacted.ts';
import type { CredentialsData } from '../port.ts';

export interface ApiKeyCredentials {
  apiKey: Redacted;
}

const API_KEY_FIELD = 'apikey';

/** Reads an API key from a credentials Secret. @param title of the back end that needs it */
export function readApiKey(
  data: CredentialsData | undefined,
  title: string,
): { credentials: ApiKeyCredentials } | { problem: string } {
  const apiKey = data?.get(API_KEY_FIELD);
  return apiKey
    ? { credentials: { apiKey } }
    : { problem: `${title} needs the key ${API_KEY_FIELD}, with an API key` };
}
