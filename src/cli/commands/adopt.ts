import { Option } from 'commander';
import type { RegistryAccount } from '../../api/registry-account.ts';
import type { RegistryToken } from '../../api/registry-token.ts';
import { REGISTRY_ACCOUNTS, REGISTRY_TOKENS } from '../../api/resources.ts';
import type { KubeObject } from '../../common/objects.ts';
import { NAMESPACES, SECRETS } from '../../kube/client/resources.ts';
import type { Secret } from '../../token/secret/secret.ts';
import type { Command, Given } from '../command.ts';
import type { Context } from '../context.ts';
import { CommandFailure } from '../failure.ts';
import { plain } from '../output/table.ts';
import { planAdoption, type AdoptionRequest } from '../pull-secrets/adoption.ts';
import { serviceAccountsNaming } from '../service-accounts.ts';
import { collect, createToken, CREATION_FORMATS, CREATION_OPTIONS } from '../token-creation.ts';

export const ADOPT: Command = {
  name: 'adopt',
  arguments: [{ name: '<SECRET>', about: 'a pull secret that nobody rotates', completes: 'Secrets' }],
  summary: 'Create the RegistryToken that takes over a pull secret made by hand',
  about: `The RegistryToken gets the name of the Secret, the account and region that serve its registry, and the ServiceAccounts that name it. The Secret stays the same object, and holds what it holds until the registry was seen to accept the new token. What keeps a Secret from being adopted is said, all at once.

Needs get of the Secret and the namespace, list of ServiceAccounts, get or list of RegistryAccounts, list and create of RegistryTokens.`,
  examples: [
    {
      to: 'See what would be created',
      run: 'kubectl registrytoken adopt app-pull -n team-a --dry-run -o yaml',
    },
    {
      to: 'Adopt it for the images of one registry namespace, and wait until the Secret has the new token',
      run: 'kubectl registrytoken adopt app-pull -n team-a --scope team-a --wait',
    },
  ],
  options: [
    new Option('--account <name>', 'RegistryAccount, where several serve the registry'),
    new Option('--scope <names>', 'part of the registry; several by commas or by repeating it').argParser(
      collect,
    ),
    new Option('--read-write', 'pull and push; otherwise pull only'),
    new Option('--extra-hosts', 'hosts that the account does not know are the same registry'),
    ...CREATION_OPTIONS,
  ],
  completes: { account: 'RegistryAccounts' },
  formats: CREATION_FORMATS,
  async run(context, { args: [name = ''], options }) {
    const { terminal, format } = context;
    const adoption = planAdoption(await readRequest(context, name, options));
    if ('hindrances' in adoption) {
      const [only, ...others] = adoption.hindrances.map(plain);
      throw new CommandFailure(
        others.length === 0
          ? `Secret ${name} can't be adopted: ${only}`
          : `Secret ${name} can't be adopted:\n${[only, ...others].map((each) => `- ${each}`).join('\n')}`,
      );
    }
    const { token, remark } = adoption;
    if (remark !== undefined) terminal.tell(`warning: ${plain(remark)}\n`);
    await createToken(context, token, options);
    if (format === 'table' && options['dryRun'] === undefined)
      terminal.tell(
        'The credential that was in the Secret stays valid: delete it at the registry when nothing else uses it.\n',
      );
  },
};

async function readRequest(
  context: Context,
  name: string,
  options: Given['options'],
): Promise<AdoptionRequest> {
  const { client, namespace, signal } = context;
  const secret = await client.get<KubeObject & Secret>(SECRETS, { namespace, name }, { signal });
  const { metadata } = await client.get(NAMESPACES, { name: namespace }, { metadataOnly: true, signal });
  const { account, scope = [] } = options;
  return {
    secret,
    namespace: {
      name: namespace,
      labels: metadata.labels ?? {},
      terminating: metadata.deletionTimestamp !== undefined,
    },
    accounts:
      typeof account === 'string'
        ? [await client.get<RegistryAccount>(REGISTRY_ACCOUNTS, { name: account }, { signal })]
        : await client.listAll<RegistryAccount>(REGISTRY_ACCOUNTS, { signal }),
    tokens: await client.listAll<RegistryToken>(REGISTRY_TOKENS, { namespace, signal }),
    serviceAccounts: (await serviceAccountsNaming(context, name)).map((each) => each.metadata.name),
    access: options['readWrite'] === true ? 'ReadWrite' : 'ReadOnly',
    scope: scope as readonly string[],
    widen: options['extraHosts'] === true,
  };
}
