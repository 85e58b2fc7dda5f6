import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { describeRight, missingRight } from '../failure.ts';
import { FORMATS } from '../output/listing.ts';
import {
  ACCOUNT_COMPLETIONS,
  ACCOUNT_OPTIONS,
  assertComplete,
  choiceOf,
  RIGHTS,
  writeRows,
} from '../registry-tokens/account-options.ts';
import {
  AccountRegistry,
  accountTokens,
  type AccountChoice,
  type AccountTokens,
} from '../registry-tokens/account-registry.ts';
import { rowsOfStatuses } from '../registry-tokens/rows.ts';

/** The registry, or undefined where the user may not read the credentials, which is told. */
async function openIfAllowed(
  context: Context,
  choice: AccountChoice,
  known: AccountTokens,
): Promise<AccountRegistry | undefined> {
  try {
    return await AccountRegistry.open(context, choice, known);
  } catch (error) {
    const right = missingRight(error);
    if (!right) throw error;
    context.terminal.tell(
      `the registry is not asked, since ${describeRight(right)}; shown is what RegistryTokens and their account say\n`,
    );
    return undefined;
  }
}

export const TOKENS: Command = {
  name: 'tokens',
  summary: 'List the tokens that a registry has of an account, and whose each is',
  about: `Never shows a value. ${RIGHTS} Without the credentials it shows what the statuses of RegistryTokens say.`,
  examples: [
    { to: 'List the tokens of the account named default', run: 'kubectl registrytoken tokens' },
    {
      to: 'List those of another account in one region',
      run: 'kubectl registrytoken tokens --account prod --region eu-de',
    },
  ],
  options: ACCOUNT_OPTIONS,
  completes: ACCOUNT_COMPLETIONS,
  formats: FORMATS,
  async run(context, { options }) {
    const choice = choiceOf(options);
    const known = await accountTokens(context, choice.account);
    const registry = await openIfAllowed(context, choice, known);
    if (!registry) return writeRows(context, rowsOfStatuses(known.tokens, known.account), 'No tokens found.');
    const { rows, failures } = await registry.rows(choice.region);
    writeRows(context, rows, 'The registry has no tokens.');
    assertComplete(failures);
  },
};
