import { Option } from 'commander';
import type { Command } from '../command.ts';
import { CommandFailure } from '../failure.ts';
import {
  ACCOUNT_COMPLETIONS,
  ACCOUNT_OPTIONS,
  assertComplete,
  choiceOf,
  RIGHTS,
} from '../registry-tokens/account-options.ts';
import { AccountRegistry } from '../registry-tokens/account-registry.ts';
import type { TokenRow } from '../registry-tokens/rows.ts';

export const REVOKE: Command = {
  name: 'revoke',
  arguments: [{ name: '<ID>', about: 'of a token at the registry, as tokens and orphans list it' }],
  summary: 'Revoke a token at the registry',
  about: `Only one that nothing in this cluster uses: what a RegistryToken has is replaced by rotate --revoke-now, or goes when it is deleted. --force revokes any other, and pods that pull with it fail. ${RIGHTS}`,
  examples: [
    { to: 'Revoke an orphan', run: 'kubectl registrytoken revoke 2b5e8c1a-6d0f --account default' },
    {
      to: 'Revoke what another cluster issued and left',
      run: 'kubectl registrytoken revoke 2b5e8c1a-6d0f --force',
    },
  ],
  options: [...ACCOUNT_OPTIONS, new Option('--force', 'whoever may use it')],
  completes: ACCOUNT_COMPLETIONS,
  async run(context, { args: [id = ''], options }) {
    const choice = choiceOf(options);
    const registry = await AccountRegistry.open(context, choice);
    const { rows, failures, usersUnseen } = await registry.rows(choice.region);
    const [row, ...others] = rows.filter((each) => each.id === id);
    if (!row) {
      assertComplete(failures);
      throw new CommandFailure(`the registry lists no token ${id} of account ${choice.account}`);
    }
    if (others.length > 0)
      throw new CommandFailure(
        `regions ${[row, ...others].map(({ region }) => region).join(', ')} each have a token ${id}`,
        'say which by --region',
      );
    if (options['force'] !== true) assertRevocable(row, { rows, usersUnseen });
    const wasKnown = await registry.revoke(id, row.region);
    context.terminal.write(`token ${id} ${wasKnown ? 'revoked' : 'was gone already'}\n`);
  },
};

/** @throws CommandFailure for a token that something may use */
export function assertRevocable(
  { id, state, owner }: TokenRow,
  { rows, usersUnseen }: { rows: readonly TokenRow[]; usersUnseen?: string | undefined },
): void {
  const [namespace = '', name = ''] = owner.split('/');
  if (state === 'InUse' || state === 'Previous')
    throw new CommandFailure(
      `token ${id} is of RegistryToken ${owner}`,
      `kubectl registrytoken rotate ${name} -n ${namespace} --revoke-now`,
    );
  if (state === 'Retained' || state === 'InSecret')
    throw new CommandFailure(`token ${id} is kept: ${owner} has it`, 'give --force if nothing pulls with it');
  if (state === 'OtherCluster' || state === 'Foreign' || state === 'Unknown')
    throw new CommandFailure(
      state === 'Foreign'
        ? `token ${id} was not issued by an operator`
        : `token ${id} may be in use in another cluster${state === 'OtherCluster' ? `, ${owner}` : ''}`,
      'give --force if you know that nothing uses it',
    );
  const stranger = state === 'Orphan' && rows.find((each) => each.state === 'Unknown');
  // As the operator's sweep has it: what a lost request left is known here.
  if (owner === '' && stranger)
    throw new CommandFailure(
      `token ${id} may be in use in another cluster, which seems to work with this one's id: nobody here knows of token ${stranger.id}`,
      'give --force if you know that nothing uses it',
    );
  if (usersUnseen !== undefined)
    throw new CommandFailure(
      `something may use token ${id}: ${usersUnseen}`,
      'give --force if you know that nothing uses it',
    );
}
