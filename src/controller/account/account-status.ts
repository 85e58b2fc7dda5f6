import { isDeepStrictEqual } from 'node:util';
import type { RegistryAccount, RegistryAccountStatus } from '../../api/registry-account.ts';
import { REGISTRY_ACCOUNTS } from '../../api/resources.ts';
import type { KubeClient } from '../../kube/client/client.ts';
import { KubeError } from '../../kube/client/errors.ts';
import { MAX_SCOPES } from '../../token/sweep/searched-scopes.ts';
import { guardedPatch } from '../shared/guarded-patch.ts';

/**
 * Changes the status of an account as it is now, not as a watch last saw it. Does nothing when the account is gone.
 * @throws KubeError a conflict, when somebody else changes it at the same time: to be tried again
 */
export async function changeAccountStatus(
  client: KubeClient,
  name: string,
  change: (status: RegistryAccountStatus) => RegistryAccountStatus,
  signal: AbortSignal,
): Promise<void> {
  const account = await read(client, name, signal);
  if (!account) return;
  const status = change(account.status ?? {});
  if (isDeepStrictEqual(status, account.status)) return;
  try {
    await guardedPatch(client, REGISTRY_ACCOUNTS, account, [{ path: '/status', value: status }], {
      subresource: 'status',
      signal,
    });
  } catch (error) {
    if (!(error instanceof KubeError && error.isNotFound)) throw error;
  }
}

/** Writes down scopes, as texts, in which tokens of an account may be left. @throws KubeError as `changeAccountStatus` */
export async function noteScopes(
  client: KubeClient,
  account: string,
  left: Iterable<string>,
  signal: AbortSignal,
): Promise<void> {
  const found = [...left];
  if (found.length === 0) return;
  await changeAccountStatus(
    client,
    account,
    ({ scopes = [], ...rest }) => ({
      ...rest,
      // Those that are there go first: none has a right to the room of others.
      scopes: [...new Set([...scopes, ...found])].slice(0, MAX_SCOPES).sort(),
    }),
    signal,
  );
}

async function read(
  client: KubeClient,
  name: string,
  signal: AbortSignal,
): Promise<RegistryAccount | undefined> {
  try {
    return await client.get<RegistryAccount>(REGISTRY_ACCOUNTS, { name }, { signal });
  } catch (error) {
    if (error instanceof KubeError && error.isNotFound) return undefined;
    throw error;
  }
}
