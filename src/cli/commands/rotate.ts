import { Option } from 'commander';
import type { RegistryAccount } from '../../api/registry-account.ts';
import type { RegistryToken } from '../../api/registry-token.ts';
import { REGISTRY_ACCOUNTS } from '../../api/resources.ts';
import { toTime } from '../../api/syntax/time.ts';
import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CommandFailure } from '../failure.ts';
import { plain } from '../output/table.ts';
import { HELM_RELEASE } from '../pull-secrets/keeper.ts';
import { assertRotatable } from '../rotation/request.ts';
import { Rotation } from '../rotation/rotation.ts';
import { selectedTokens } from '../selected-tokens.ts';
import { readDuration, waitFor } from '../waiting.ts';

export const ROTATE: Command = {
  name: 'rotate',
  arguments: [{ name: '[NAME]', about: 'of a RegistryToken', completes: 'RegistryTokens' }],
  summary: 'Have tokens replaced now',
  about:
    'The Secret keeps its name and uid. The previous token stays valid for the grace period, so that pods about to pull still can; with --revoke-now it, and all others in their grace period, are revoked as soon as the Secret holds the next: for a leak. That sets rotation.gracePeriod to 0s for as long as it takes, and gives back what was there.\n\nA request that can not be acted on yet stands: the operator rotates when it can. Needs patch of registrytokens; --account needs patch of registryaccounts.',
  examples: [
    {
      to: 'Rotate one, and wait until its Secret holds the next token',
      run: 'kubectl registrytoken rotate app-pull -n team-a --wait',
    },
    {
      to: 'After a leak: revoke what was there at once',
      run: 'kubectl registrytoken rotate app-pull -n team-a --revoke-now',
    },
    { to: 'Rotate all of a namespace', run: 'kubectl registrytoken rotate --all -n team-a --wait' },
    {
      to: 'Rotate all tokens of an account, at the pace of its requests per second',
      run: 'kubectl registrytoken rotate --account default --wait',
    },
  ],
  options: [
    new Option('--all', 'all RegistryTokens of the namespace, or with -A of the cluster'),
    new Option('--account <name>', 'all RegistryTokens of a RegistryAccount'),
    new Option('--wait', 'wait until it is done, and say how far it is'),
    new Option('--revoke-now', 'revoke previous tokens at once; waits until they are'),
    new Option('--timeout <duration>', 'how long to wait').default('5m'),
  ],
  completes: { account: 'RegistryAccounts' },
  allNamespaces: true,
  async run(context, { args: [name], options }) {
    const { all, account, wait, revokeNow } = options;
    if ([name, all, account].filter((each) => each !== undefined).length !== 1)
      throw new CommandFailure(
        'what to rotate is not said, or twice',
        'give one of NAME, --all and --account',
      );
    const timeout = readDuration('timeout', String(options['timeout']));
    if (account !== undefined) {
      if (revokeNow === true)
        throw new CommandFailure(
          "an account says no grace period: that is each RegistryToken's own",
          'rotate by --all -A --revoke-now',
        );
      return rotateAccount(context, String(account), wait === true ? timeout : undefined);
    }
    const tokens = await selectedTokens(context, name);
    const rotatable = tokens.filter((token) =>
      isToRotate(context, token, name !== undefined, revokeNow === true),
    );
    const rotation = new Rotation(context, rotatable, revokeNow === true);
    await rotation.run(wait === true || revokeNow === true ? timeout : undefined);
  },
};

/** One that was named and can't be rotated is a failure; of many it is told and left out. @throws CommandFailure */
function isToRotate(
  { terminal }: Context,
  token: RegistryToken,
  named: boolean,
  revokeNow: boolean,
): boolean {
  try {
    assertRotatable(token, revokeNow);
    return true;
  } catch (error) {
    if (named || !(error instanceof CommandFailure)) throw error;
    terminal.tell(`left out: ${error.message}\n`);
    return false;
  }
}

/** @param timeout milliseconds; undefined: does not wait */
async function rotateAccount(context: Context, name: string, timeout: number | undefined): Promise<void> {
  const { client, clock, signal, terminal } = context;
  const requestedAt = toTime(clock.now());
  const patch = { spec: { rotation: { requestedAt } } };
  const { metadata } = await client.mergePatch<RegistryAccount>(REGISTRY_ACCOUNTS, { name }, patch, {
    signal,
  });
  terminal.write(`registryaccount.${REGISTRY_ACCOUNTS.group}/${name} rotation of all its tokens requested\n`);
  const release = metadata.annotations?.[HELM_RELEASE];
  if (release !== undefined)
    terminal.tell(
      `it is of Helm's release ${plain(release)}: the next helm upgrade that sets its rotation.requestedAt needs --force-conflicts\n`,
    );
  if (timeout === undefined) return;
  const result = await waitFor<number>(context, timeout, async () => {
    const { status } = await client.get<RegistryAccount>(REGISTRY_ACCOUNTS, { name }, { signal });
    const { requestedAt: handled, done = 0, total = 0 } = status?.rotation ?? {};
    if (handled !== requestedAt) return { waiting: 'the operator has not seen the request yet' };
    return done < total ? { waiting: `${done} of ${total} tokens rotated` } : { done: total };
  });
  if ('waiting' in result)
    throw new CommandFailure(
      `not all are rotated yet: ${result.waiting}`,
      `the request stands; see those that are left with: kubectl registrytoken get -A`,
    );
  terminal.write(`registryaccount.${REGISTRY_ACCOUNTS.group}/${name} ${result.done} tokens rotated\n`);
}
