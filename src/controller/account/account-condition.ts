import type { ConditionUpdate } from '../../api/conditions.ts';
import type { RegistryAccount } from '../../api/registry-account.ts';
import type { Provider } from '../../registry/backends.ts';
import { nothingAllowed } from '../../token/decide/account-limits.ts';
import type { Failure } from '../../token/lifecycle/failure.ts';

/** Whose the credentials are, or what is wrong with them. */
export type Verdict = { identity: string; remark?: string } | Failure;

/**
 * The account's Ready condition.
 * @param provider undefined: it names none, or several
 * @param hosts what is to be said of hosts that Secrets can't have
 */
export function readyCondition(
  account: RegistryAccount,
  provider: Provider | undefined,
  verdict: Verdict,
  hosts: readonly string[],
): ConditionUpdate {
  const problem = 'reason' in verdict ? verdict : provider && nothingAllowed(account, provider);
  if (problem) return { type: 'Ready', status: 'False', reason: problem.reason, message: problem.message };
  const { identity = '', remark } = 'identity' in verdict ? verdict : {};
  const remarks = [remark, provider && regionRemark(account, provider), ...hosts];
  return {
    type: 'Ready',
    status: 'True',
    reason: 'CredentialsAccepted',
    message: [
      `the credentials work for account ${identity}`,
      ...remarks.filter((text) => text !== undefined),
    ].join('; '),
  };
}

/** That there is no region, or that the one of RegistryTokens that name none does not exist. */
function regionRemark(
  { spec }: RegistryAccount,
  { places: { defaultRegion, all, resolve } }: Provider,
): string | undefined {
  if (defaultRegion === undefined) return undefined;
  const name = spec.defaultRegion || defaultRegion;
  if (resolve(name)) return undefined;
  if (all.length === 0)
    return "it has no region, so no RegistryToken gets a token: list one in spec.regions, since its endpoint is not the registry's own";
  const names = all.map(({ region }) => region).join(', ');
  return `its defaultRegion ${name} is none of its regions (${names}), so RegistryTokens have to name one`;
}
