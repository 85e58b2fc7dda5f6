import { GROUP } from '../../src/api/names.ts';
import type { RegistryAccount } from '../../src/api/registry-account.ts';
import type { RegistryToken } from '../../src/api/registry-token.ts';
import { placesOf as placesIn } from './registries/places.ts';
import { DEFAULT_REGION } from './registries/regions.ts';
import type { Registries } from './registries/registries.ts';
import type { Change } from '../../sandbox/apiserver/change.ts';

/** A region of an account, as RegistryTokens ask for it. */
export interface Place {
  account: string;
  region: string;
}

/** Where a token was issued, and with which account. */
export interface Issue {
  account: string;
  place: { endpoint: string };
}

const keyOf = (account: string, where: string): string => `${account} ${where}`;

/** Where tokens can be created: the regions that the RegistryAccounts there are define, and the endpoints behind them. */
export class Places {
  readonly #there = new Set<string>();
  /** When a place that had gone came back, monotonic milliseconds. */
  readonly #backAt = new Map<string, number>();
  readonly #left = new Set<string>();
  readonly #editedAt = new Map<string, number>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  changed({ collection, type, object, previous }: Change): void {
    if (collection !== `${GROUP}/registryaccounts`) return;
    const now = type === 'DELETED' ? [] : placesOf(object as unknown as RegistryAccount);
    const before = previous ? placesOf(previous as unknown as RegistryAccount) : [];
    if (now.join() !== before.join())
      this.#editedAt.set((object as unknown as RegistryAccount).metadata.name, this.#now());
    for (const key of before.filter((each) => !now.includes(each))) {
      this.#there.delete(key);
      this.#left.add(key);
    }
    for (const key of now) {
      if (!this.#there.has(key) && this.#left.has(key)) this.#backAt.set(key, this.#now());
      this.#there.add(key);
    }
  }

  has({ account, region }: Place): boolean {
    return this.#there.has(keyOf(account, region));
  }

  /** Whether an account leads to where a token was issued. */
  leadsTo({ account, place }: Issue): boolean {
    return this.#there.has(keyOf(account, place.endpoint));
  }

  /** Whether that is gone, or was less than so many milliseconds ago. */
  wasGone(issue: Issue, within: number): boolean {
    const backAt = this.#backAt.get(keyOf(issue.account, issue.place.endpoint)) ?? -Infinity;
    return !this.leadsTo(issue) || this.#now() - backAt < within;
  }

  /** Where a RegistryToken wants its token. */
  wantedBy({ spec }: RegistryToken, registries: Pick<Registries, 'of'>): Place {
    const account = spec.accountRef?.name ?? 'default';
    return { account, region: spec.region ?? (registries.of(account).hasRegions ? DEFAULT_REGION : '') };
  }

  /** Whether the regions of an account changed less than so many milliseconds ago. */
  wasEdited(account: string, within: number): boolean {
    return this.#now() - (this.#editedAt.get(account) ?? -Infinity) < within;
  }
}

function placesOf({ metadata, spec }: RegistryAccount): string[] {
  return placesIn(spec).flatMap(({ region, endpoint }) => [
    keyOf(metadata.name, region),
    keyOf(metadata.name, endpoint),
  ]);
}
