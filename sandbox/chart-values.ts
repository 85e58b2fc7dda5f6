import { stringify } from 'yaml';
import type { RegistryTokenSpec } from '../src/api/registry-token.ts';
import { accountSpec, type FakeAccount } from './setup.ts';

/** A RegistryToken to try with. */
export interface Example {
  metadata: { namespace: string; name: string };
  spec: Pick<RegistryTokenSpec, 'access' | 'lifetime' | 'scope'>;
}

/** Values to install the chart with, as YAML: the account `default` of a fake, and a RegistryToken. */
export function chartValues(account: FakeAccount, { metadata, spec }: Example): string {
  const { name, namespace } = metadata;
  const values = {
    // The sandbox runs what has this name.
    image: { repository: 'localhost/registry-token-operator' },
    accounts: { default: { ...accountSpec(account), credentials: account.registry.credentials } },
    tokens: { [name]: { namespace, spec } },
  };
  return stringify(values);
}
