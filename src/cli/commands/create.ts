import { Option } from 'commander';
import { isStalled } from '../../api/reasons.ts';
import type { RegistryToken } from '../../api/registry-token.ts';
import { REGISTRY_TOKENS } from '../../api/resources.ts';
import type { Command } from '../command.ts';
import { CommandFailure } from '../failure.ts';
import { newToken } from '../new-token.ts';
import { renderObject, shown } from '../output/listing.ts';
import { plain } from '../output/table.ts';
import { readyCondition } from '../ready.ts';
import { tokenTitle } from '../selected-tokens.ts';
import { readDuration, waitFor, type Look } from '../waiting.ts';

/** For options that can be given several times, or with commas. */
const collect = (value: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  ...value.split(',').filter(Boolean),
];

export const CREATE: Command = {
  name: 'create',
  arguments: [{ name: '<NAME>', about: 'of the new RegistryToken, and of its Secret unless told otherwise' }],
  summary: 'Create a RegistryToken',
  about:
    'Read-only, with the lifetime that the registry gives, and from the account named default, unless told otherwise. Needs create of registrytokens.',
  examples: [
    {
      to: 'Create one for the pods of the default ServiceAccount, and wait for its Secret',
      run: 'kubectl registrytoken create app-pull -n team-a --scope team-a --service-account default --wait',
    },
    {
      to: 'Create one that may push, for two weeks at a time',
      run: 'kubectl registrytoken create build -n team-a --read-write --lifetime 336h',
    },
    {
      to: 'Print the object for a Git repository',
      run: 'kubectl registrytoken create app-pull -n team-a --scope team-a --dry-run -o yaml',
    },
  ],
  options: [
    new Option('--account <name>', 'RegistryAccount'),
    new Option('--region <name>', 'region of the registry'),
    new Option('--scope <names>', 'part of the registry; several by commas or by repeating it').argParser(
      collect,
    ),
    new Option('--read-write', 'pull and push; otherwise pull only'),
    new Option('--lifetime <duration>', 'how long each token is in use, such as 24h'),
    new Option('--never-expiring', 'tokens that do not expire'),
    new Option('--description <text>', 'shown at the registry'),
    new Option('--secret <name>', 'name of the Secret'),
    new Option('--service-account <names>', 'ServiceAccounts that get the Secret').argParser(collect),
    new Option('--wait', 'wait until it is Ready'),
    new Option('--timeout <duration>', 'how long to wait').default('2m'),
    new Option('--dry-run [mode]', 'only print the object').choices(['client']),
  ],
  completes: { account: 'RegistryAccounts' },
  formats: ['table', 'json', 'yaml', 'name'],
  async run(context, { args: [name = ''], options }) {
    const { client, namespace, signal, terminal, format } = context;
    const timeout = readDuration('timeout', String(options['timeout']));
    const object = newToken(name, namespace, options);
    const isDry = options['dryRun'] !== undefined;
    const created = isDry
      ? undefined
      : await client.create<RegistryToken>(REGISTRY_TOKENS, { ...object }, { signal });
    if (format === 'json' || format === 'yaml')
      terminal.write(renderObject(created ? shown(created) : object, format));
    else
      terminal.write(
        format === 'name' ? `${titleOf(name)}\n` : `${titleOf(name)} created${isDry ? ' (dry run)' : ''}\n`,
      );
    if (!created || options['wait'] !== true) return;
    const result = await waitFor(context, timeout, async () =>
      look(await client.get<RegistryToken>(REGISTRY_TOKENS, { namespace, name }, { signal })),
    );
    if ('waiting' in result || result.done !== 'Ready')
      throw new CommandFailure(
        `it is not Ready: ${'waiting' in result ? result.waiting : result.done}`,
        `kubectl registrytoken why ${name} -n ${namespace}`,
      );
    // What a program reads is the object alone.
    if (format === 'table') terminal.write(`${titleOf(name)} ready\n`);
  },
};

const titleOf = (name: string): string => tokenTitle({ metadata: { name } as RegistryToken['metadata'] });

/** Whether it is Ready, or will not be before somebody changes it. */
function look(token: RegistryToken): Look<string> {
  const ready = readyCondition(token);
  if (ready?.status === 'True') return { done: 'Ready' };
  const said = ready ? `${ready.reason}: ${plain(ready.message)}` : 'the operator has not looked at it yet';
  return isStalled(token.status?.reason ?? '') ? { done: said } : { waiting: said };
}
