import { REGISTRY_ACCOUNTS, REGISTRY_TOKENS } from '../../api/resources.ts';
import type { Resource } from '../../common/objects.ts';
import { NAMESPACES, SECRETS } from '../../kube/client/resources.ts';
import type { Command } from '../command.ts';
import type { Environment } from '../context.ts';
import { candidatesFor, type Candidates, type Lookup } from './candidates.ts';

const RESOURCES: Readonly<Record<Lookup, Resource>> = {
  RegistryTokens: REGISTRY_TOKENS,
  RegistryAccounts: REGISTRY_ACCOUNTS,
  Secrets: SECRETS,
  Namespaces: NAMESPACES,
};
/** Milliseconds: somebody waits with a finger on the key. */
const PATIENCE = 3_000;
const MAX_NAMES = 500;
/** No names of files, as cobra's ShellCompDirectiveNoFileComp has it, which kubectl reads of its plugins' helpers. */
const DIRECTIVE = ':4';

/**
 * Prints what can complete a command line, which shells and kubectl ask at each press of the tab key, and a last line that says that
 * names of files can't.
 * @param words behind the program's name; the last is what is being written
 */
export async function complete(
  words: readonly string[],
  commands: readonly Command[],
  environment: Environment,
): Promise<void> {
  const candidates = candidatesFor(words, commands);
  const names = await namesOf(candidates, environment);
  const matching = names.filter((name) => name.startsWith(candidates.prefix));
  environment.terminal.write([...matching, DIRECTIVE].map((line) => `${line}\n`).join(''));
}

/** Names that can't be had are none: there is nobody to tell. */
async function namesOf(
  { names = [], flags }: Candidates,
  { connect }: Environment,
): Promise<readonly string[]> {
  if (typeof names !== 'string') return names;
  const resource = RESOURCES[names];
  try {
    const { client, namespace } = connect(flags);
    const { items } = await client.listPage(resource, {
      namespace: resource.namespaced ? namespace : undefined,
      metadataOnly: true,
      limit: MAX_NAMES,
      timeout: PATIENCE,
    });
    return items.map(({ metadata }) => metadata.name);
  } catch {
    return [];
  }
}
