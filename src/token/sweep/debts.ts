import type { Place } from '../../api/registry-token.ts';
import { isSamePlace } from '../lifecycle/place.ts';

/** A RegistryToken that is known to have left tokens at a place: looked at whatever the cluster says, until it is seen gone. */
export interface Debt {
  uid: string;
  place: Place;
  /** The list of its scope (`listOf`). */
  scope: string;
  /** When it was left, on the monotonic clock: what lists lack that were asked for soon after can be there all the same. */
  since: number;
}

/** The same for all that a RegistryToken left in one list of a place: the newest of these says it all. */
export function debtKey({ uid, place, scope }: Debt): string {
  return JSON.stringify([uid, place.endpoint, place.identity, place.provider, scope]);
}

/** What is owed at a place. An endpoint can have led to another one when the rest was left. */
export function debtsAt(debts: readonly Debt[], place: Place): Debt[] {
  return debts.filter((debt) => isSamePlace(debt.place, place));
}

/** When a list shows what was left, on the monotonic clock. @param listLag milliseconds that the registry's lists can lag */
export function shownAt({ since }: Debt, listLag: number): number {
  return since + listLag;
}

/** One look at a place, as far as what is owed there is concerned. */
export interface Settling {
  /** What was owed at the place when the look began. */
  looked: readonly Debt[];
  /** Uids of the RegistryTokens that were to be gone and are still there. */
  stillThere: readonly string[];
  /** When the list was asked for, on the monotonic clock. */
  askedAt: number;
  listLag: number;
}

/** What is still owed after a look: what was reported meanwhile, and what the list may have been too early for. */
export function unsettled(
  debts: readonly Debt[],
  { looked, stillThere, askedAt, listLag }: Settling,
): Debt[] {
  const seen = new Set(looked);
  const here = new Set(stillThere);
  return debts.filter((debt) => !seen.has(debt) || here.has(debt.uid) || askedAt < shownAt(debt, listLag));
}
