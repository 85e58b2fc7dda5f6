import { Option } from 'commander';
import { OPERATOR } from '../../api/names.ts';
import type { Command, Given } from '../command.ts';
import type { Context } from '../context.ts';
import { CommandFailure } from '../failure.ts';
import { renderListing } from '../output/listing.ts';
import type { AccountChoice } from './account-registry.ts';
import { ROW_COLUMNS, type TokenRow } from './rows.ts';

/** The flags that say whose tokens are meant, and where the account's credentials are. */
export const ACCOUNT_OPTIONS: readonly Option[] = [
  new Option('--account <name>', 'RegistryAccount').default('default'),
  new Option('--region <name>', 'region of the registry; default: all'),
  new Option(
    '--operator-namespace <name>',
    "namespace of the operator, where the account's credentials are",
  ).default(OPERATOR),
];
/** What commands that ask a registry need. */
export const RIGHTS =
  "Asks the registry with the account's own credentials: needs get of registryaccounts and of the account's credentials Secret in the namespace of the operator, and list of registryaccounts, and of registrytokens and secrets in all namespaces.";

export function choiceOf(options: Given['options']): AccountChoice {
  const { account, region, operatorNamespace } = options;
  return {
    account: String(account),
    operatorNamespace: String(operatorNamespace),
    region: typeof region === 'string' ? region : undefined,
  };
}

/** What the values of these flags are completed with. */
export const ACCOUNT_COMPLETIONS: NonNullable<Command['completes']> = {
  account: 'RegistryAccounts',
  operatorNamespace: 'Namespaces',
};

/** @param nothing said where there is no row */
export function writeRows({ terminal, format }: Context, rows: readonly TokenRow[], nothing: string): void {
  const listing = {
    columns: ROW_COLUMNS,
    rows,
    object: (row: TokenRow) => row,
    name: ({ id }: TokenRow) => id,
  };
  terminal.write(renderListing(listing, format));
  if (rows.length === 0 && (format === 'table' || format === 'wide')) terminal.tell(`${nothing}\n`);
}

/** What could not be listed makes what was listed incomplete. @throws CommandFailure */
export function assertComplete(failures: readonly string[]): void {
  if (failures.length > 0)
    throw new CommandFailure(
      `not all could be listed: ${failures.join('; ')}`,
      'name a --region that can be reached',
    );
}
