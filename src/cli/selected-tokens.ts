import type { RegistryToken } from '../api/registry-token.ts';
import { REGISTRY_TOKENS } from '../api/resources.ts';
import { GROUP } from '../api/names.ts';
import { listedNamespace, type Context } from './context.ts';

/**
 * The RegistryToken of a name, or those of the namespace, or of all. That there are none is told.
 * @throws KubeError
 */
export async function selectedTokens(context: Context, name: string | undefined): Promise<RegistryToken[]> {
  const { client, signal } = context;
  if (name !== undefined) {
    const { namespace } = context;
    return [await client.get<RegistryToken>(REGISTRY_TOKENS, { namespace, name }, { signal })];
  }
  const namespace = listedNamespace(context);
  const tokens = await client.listAll<RegistryToken>(REGISTRY_TOKENS, { namespace, signal });
  if (tokens.length === 0) noTokens(context);
  return tokens;
}

/** Says that there is no RegistryToken where one was looked for. */
export function noTokens(context: Context): void {
  const where = context.allNamespaces ? '' : ` in namespace ${context.namespace}`;
  context.terminal.tell(`No RegistryTokens found${where}.\n`);
}

/** As kubectl names objects in its messages: `registrytoken.pullsecrets.dev/app-pull`. */
export function tokenTitle({ metadata }: { metadata: { name: string } }): string {
  return `registrytoken.${GROUP}/${metadata.name}`;
}
