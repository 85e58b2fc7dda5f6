import { GROUP } from '../../src/api/names.ts';
import type { RegistryAccount } from '../../src/api/registry-account.ts';
import type { RegistryToken } from '../../src/api/registry-token.ts';
import type { Change } from '../../sandbox/apiserver/change.ts';

export interface Place {
  account: string;
  region: string;
}

const keyOf = ({ account, region }: Place): string => `${account}/${region}`;

/** Where tokens can be created: the regions that the RegistryAccounts there are define. */
export class Places {
  readonly #there = new Set<string>();
  /** When a place that had gone came back, monotonic milliseconds. */
  readonly #backAt = new Map<string, number>();
  readonly #left = new Set<string>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  changed({ collection, type, object, previous }: Change): void {
    if (collection !== `${GROUP}/registryaccounts`) return;
    const now = type === 'DELETED' ? [] : placesOf(object as unknown as RegistryAccount);
    const before = previous ? placesOf(previous as unknown as RegistryAccount) : [];
    for (const key of before.filter((each) => !now.includes(each))) {
      this.#there.delete(key);
      this.#left.add(key);
    }
    for (const key of now) {
      if (!this.#there.has(key) && this.#left.has(key)) this.#backAt.set(key, this.#now());
      this.#there.add(key);
    }
  }

  has(place: Place): boolean {
    return this.#there.has(keyOf(place));
  }

  /** Whether it is gone, or was less than so many milliseconds ago. */
  wasGone(place: Place, within: number): boolean {
    return !this.has(place) || this.#now() - (this.#backAt.get(keyOf(place)) ?? -Infinity) < within;
  }
}

function placesOf({ metadata, spec }: RegistryAccount): string[] {
  return (spec.regions ?? []).map(({ name }) => keyOf({ account: metadata.name, region: name }));
}

/** Where a RegistryToken wants its token. */
export function placeWanted({ spec }: RegistryToken): Place {
  return { account: spec.accountRef?.name ?? 'default', region: spec.region ?? 'us-south' };
}
