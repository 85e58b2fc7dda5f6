import { Option } from 'commander';
import { isStalled } from '../api/reasons.ts';
import type { RegistryToken } from '../api/registry-token.ts';
import { REGISTRY_TOKENS } from '../api/resources.ts';
import type { Given } from './command.ts';
import type { Context } from './context.ts';
import { CommandFailure } from './failure.ts';
import type { NewToken } from './new-token.ts';
import { renderObject, shown } from './output/listing.ts';
import { plain } from './output/table.ts';
import { readyCondition } from './ready.ts';
import { tokenTitle } from './selected-tokens.ts';
import { readDuration, waitFor, type Look } from './waiting.ts';

/** Of every command that creates a RegistryToken. */
export const CREATION_OPTIONS: readonly Option[] = [
  new Option('--wait', 'wait until it is Ready'),
  new Option('--timeout <duration>', 'how long to wait').default('2m'),
  new Option('--dry-run [mode]', 'only print the object').choices(['client']),
];

/** What `-o` takes there. */
export const CREATION_FORMATS = ['table', 'json', 'yaml', 'name'] as const;

/** For options that can be given several times, or with commas. */
export const collect = (value: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  ...value.split(',').filter(Boolean),
];

/**
 * Creates a RegistryToken, prints it, and waits for it, as the options say.
 * @throws CommandFailure where it does not get Ready; KubeError; the signal's reason
 */
export async function createToken(
  context: Context,
  object: NewToken,
  options: Given['options'],
): Promise<void> {
  const { client, signal, terminal, format } = context;
  const { name, namespace } = object.metadata;
  const timeout = readDuration('timeout', String(options['timeout']));
  const title = tokenTitle(object);
  const isDry = options['dryRun'] !== undefined;
  const created = isDry
    ? undefined
    : await client.create<RegistryToken>(REGISTRY_TOKENS, { ...object }, { signal });
  if (format === 'json' || format === 'yaml')
    terminal.write(renderObject(created ? shown(created) : object, format));
  else terminal.write(format === 'name' ? `${title}\n` : `${title} created${isDry ? ' (dry run)' : ''}\n`);
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
  if (format === 'table') terminal.write(`${title} ready\n`);
}

/** Whether it is Ready, or will not be before somebody changes it. */
function look(token: RegistryToken): Look<string> {
  const ready = readyCondition(token);
  if (ready?.status === 'True') return { done: 'Ready' };
  const said = ready ? `${ready.reason}: ${plain(ready.message)}` : 'the operator has not looked at it yet';
  return isStalled(token.status?.reason ?? '') ? { done: said } : { waiting: said };
}
