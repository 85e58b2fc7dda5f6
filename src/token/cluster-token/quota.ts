import type { TokenQuota } from '../../api/capabilities.ts';

/**
 * Says that an account can't have as many RegistryTokens as are asked of it, before its registry refuses one.
 * @param asked RegistryTokens that the account has, and those that are still to be created
 */
export function quotaRemark(
  account: string,
  quota: TokenQuota | undefined,
  asked: number,
): string | undefined {
  if (!quota || asked <= quota.registryTokens) return undefined;
  return `RegistryAccount ${account} can have ${quota.registryTokens} RegistryTokens and ${asked} are asked of it: ${quota.why}; select fewer namespaces, or spread them over several accounts`;
}
