import type { Command } from '../command.ts';
import { FORMATS } from '../output/listing.ts';
import {
  ACCOUNT_COMPLETIONS,
  ACCOUNT_OPTIONS,
  assertComplete,
  choiceOf,
  RIGHTS,
  writeRows,
} from '../registry-tokens/account-options.ts';
import { AccountRegistry } from '../registry-tokens/account-registry.ts';

export const ORPHANS: Command = {
  name: 'orphans',
  summary: 'List the tokens at a registry that this cluster issued and nothing in it uses',
  about: `Orphan: its RegistryToken is gone, or gave up the request that it came of. Unknown: its RegistryToken is here and does not know it, so that another cluster with this one's id may use it. The operator's sweep revokes orphans by itself unless it is switched off. ${RIGHTS}`,
  examples: [
    { to: 'List what the sweep would find', run: 'kubectl registrytoken orphans --account default' },
  ],
  options: ACCOUNT_OPTIONS,
  completes: ACCOUNT_COMPLETIONS,
  formats: FORMATS,
  async run(context, { options }) {
    const choice = choiceOf(options);
    const registry = await AccountRegistry.open(context, choice);
    const { rows, failures, usersUnseen } = await registry.rows(choice.region);
    if (usersUnseen !== undefined)
      context.terminal.tell(
        `a token that only a Secret has, or that is kept on purpose, can be shown as an orphan, since ${usersUnseen}\n`,
      );
    const unused = rows.filter(({ state }) => state === 'Orphan' || state === 'Unknown');
    writeRows(context, unused, 'The registry has no token of this cluster that nothing uses.');
    assertComplete(failures);
  },
};
