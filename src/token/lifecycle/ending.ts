import type { Capabilities } from '../../api/capabilities.ts';
import type { RegistryTokenStatus, TokenRecord } from '../../api/registry-token.ts';

/** How the registry issues where a token is; undefined: not known, or the account does not lead there. */
export type IssueAt = (issued: Pick<TokenRecord, 'account' | 'place'>) => Capabilities['issue'] | undefined;

/**
 * The status as far as it is true of how its token ends. That nobody can revoke a token is not for the status to say where the
 * registry mints tokens: whoever may write it would have one live on.
 */
export function withTrueEnding<Status extends RegistryTokenStatus>(status: Status, issueAt: IssueAt): Status {
  const { token } = status;
  if (token?.revocable !== false || issueAt(token) !== 'minted') return status;
  const { revocable: _, ...rest } = token;
  return { ...status, token: rest };
}
