/** The API keys, or passwords, there are: two that belong to one account, one of another. */
export const API_KEYS = [
  { key: 'first-key-of-account-one', accountId: 'account-one' },
  { key: 'second-key-of-account-one', accountId: 'account-one' },
  { key: 'only-key-of-account-two', accountId: 'account-two' },
] as const;

/** RegistryAccounts and the keys they start with. */
export const ACCOUNTS = { default: 0, other: 2 } as const;
export type AccountName = keyof typeof ACCOUNTS;

export const ACCOUNT_NAMES = Object.keys(ACCOUNTS) as AccountName[];

/** The account at the registry that a RegistryAccount is for. */
export const accountIdOf = (account: AccountName): string => API_KEYS[ACCOUNTS[account]].accountId;
