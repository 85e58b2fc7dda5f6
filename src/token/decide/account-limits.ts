import { ACCOUNT_DEFAULTS, type RegistryAccount } from '../../api/registry-account.ts';
import type { Offer, Refusal } from './eligibility.ts';
import { allowsAnyLifetime, describeLifetimes, lifetimeLimits } from './lifetimes.ts';
import { isPastNamespace, namespaceIn } from './scope.ts';

/** Says so, if the limits of an account leave nothing of what its registry offers: nobody could ever get a token. */
export function nothingAllowed(
  { spec }: RegistryAccount,
  { title, capabilities: { access, lifetimes, scope } }: Pick<Offer, 'title' | 'capabilities'>,
): Refusal | undefined {
  const { maxAccess = ACCOUNT_DEFAULTS.maxAccess, scopes = [] } = spec.limits ?? {};
  if (maxAccess === 'ReadOnly' && !access.includes('ReadOnly'))
    return {
      reason: 'AccessNotAllowed',
      message: `spec.limits allow no access but ReadOnly, and tokens of this account of ${title} have ${access.join(', ')}; set limits.maxAccess to ReadWrite`,
    };
  if (scopes.length > 0 && !scope)
    return {
      reason: 'ScopeNotAllowed',
      message: `spec.limits.scopes allow some scopes, and tokens of this account of ${title} are for all of it; take limits.scopes out`,
    };
  if (scope && scopes.length > 0 && scopes.every((pattern) => isPastNamespace(pattern, scope)))
    return {
      reason: 'ScopeNotAllowed',
      message: `spec.limits.scopes allow no ${scope.name}, and a name in the scope of ${title} is one; write them without host and repository, such as ${namespaceIn(scopes[0] ?? '')}`,
    };
  if (allowsAnyLifetime(lifetimes, lifetimeLimits(spec))) return undefined;
  return {
    reason: 'LifetimeNotOffered',
    message: `spec.limits allow no lifetime that ${title} offers (${describeLifetimes(lifetimes)}); raise maxLifetime or allow tokens that never expire`,
  };
}
