import type { RegistryAccount } from '../api/registry-account.ts';
import type { MintIntent } from '../api/registry-token.ts';

/**
 * Whether the place where a mint was begun is gone for good: its account is not there, or has no such region any more. Nobody
 * can look up there what came of it, however long it takes. A place that is down, or whose credentials are missing, is there.
 *
 * Nothing is wanted at a place that is gone: what asks for a token there is refused, and the intent waits for it to come back.
 * So an intent that is settled as stranded is never one for the token that is wanted.
 * @param account of the intent, as the watch has it; undefined: there is none
 * @param hasRegion whether that account has a region of this name
 */
export function isStranded(
  { region }: Pick<MintIntent, 'region'>,
  account: RegistryAccount | undefined,
  hasRegion: (account: RegistryAccount, region: string) => boolean,
): boolean {
  return account === undefined || !hasRegion(account, region);
}
