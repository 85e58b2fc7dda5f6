import type { ObjectMeta } from '../common/objects.ts';
import type { RegistryAccountSpec, RegistryAccountStatus } from './generated/registryaccount.ts';

export type { RegistryAccountSpec, RegistryAccountStatus } from './generated/registryaccount.ts';

export interface RegistryAccount {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  spec: RegistryAccountSpec;
  status?: RegistryAccountStatus;
}

/** Key of the credentials Secret that holds the API key. */
export const API_KEY_FIELD = 'apikey';

/** What an account's spec says when a field is left out; the same as the defaults in its CRD. */
export const ACCOUNT_DEFAULTS = {
  iamEndpoint: 'https://iam.cloud.ibm.com',
  defaultRegion: 'us-south',
  maxAccess: 'ReadWrite',
  requestsPerSecond: 5,
  verify: 'Auto',
} as const;
