import type { RegistryToken } from '../api/registry-token.ts';
import { REGISTRY_TOKENS } from '../api/resources.ts';
import { GROUP } from '../api/names.ts';
import { listedNamespace, type Context } from './context.ts';
import { CommandFailure } from './failure.ts';

/**
 * The RegistryToken of a name, or those of the namespace, or of all. That there are none is told.
 * @throws CommandFailure, KubeError
 */
export async function selectedTokens(context: Context, name: string | undefined): Promise<RegistryToken[]> {
  const { client, signal } = context;
  assertOnePlace(context, name);
  if (name !== undefined) {
    const { namespace } = context;
    return [await client.get<RegistryToken>(REGISTRY_TOKENS, { namespace, name }, { signal })];
  }
  const namespace = listedNamespace(context);
  const tokens = await client.listAll<RegistryToken>(REGISTRY_TOKENS, { namespace, signal });
  if (tokens.length === 0) noTokens(context);
  return tokens;
}

/** One of a name is in one namespace. @throws CommandFailure */
export function assertOnePlace({ allNamespaces }: Context, name: string | undefined): void {
  if (name !== undefined && allNamespaces)
    throw new CommandFailure(
      `which ${name} of all namespaces is meant is not said`,
      'give NAME with --namespace, or --all-namespaces without NAME',
    );
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

/** The ClusterRegistryToken that keeps the spec of a RegistryToken as its template says, if one does. */
export function templateOwner({ metadata }: Pick<RegistryToken, 'metadata'>): string | undefined {
  const controller = metadata.ownerReferences?.find((owner) => owner.controller === true);
  return controller?.kind === 'ClusterRegistryToken' ? controller.name : undefined;
}
