import type { RegistryAccount } from '../../api/registry-account.ts';
import type { Place } from '../../api/registry-token.ts';
import { listOf } from '../decide/scope.ts';
import { isSamePlace } from '../lifecycle/place.ts';

/** A token that is kept on purpose, as its account's status has it. */
export type RetainedToken = NonNullable<NonNullable<RegistryAccount['status']>['retainedTokens']>[number];

/**
 * Tokens kept on purpose that a list of where they were issued lacks.
 * @param retained as they stood before the list was asked for
 * @param list a complete one, save for the lists of scopes (`listOf`) that could not be read
 */
export function missingRetained(
  retained: readonly RetainedToken[],
  place: Place,
  { tokens, unread }: { tokens: { has(id: string): boolean }; unread: { has(scope: string): boolean } },
): RetainedToken[] {
  return retained.filter(
    (token) => isSamePlace(token.place, place) && !unread.has(listOf(token.scope)) && !tokens.has(token.id),
  );
}
