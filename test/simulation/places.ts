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

/** What was edited of an account a moment ago, as far as a decision can still be made by what was there before. */
export interface AccountEdits {
  regions: boolean;
  /** An account of this name asked for a rotation, and is gone or asks no more. */
  rotation: boolean;
  /** It said that tokens are not to be tried, and says so no more. */
  verify: boolean;
}

const keyOf = (account: string, where: string): string => `${account} ${where}`;

/** Where tokens can be created: the regions that the RegistryAccounts there are define, and the endpoints behind them. */
export class Places {
  readonly #there = new Set<string>();
  /** When a place that had gone came back, monotonic milliseconds. */
  readonly #backAt = new Map<string, number>();
  readonly #left = new Set<string>();
  readonly #editedAt = new Map<string, number>();
  /** When an account asked for a rotation for the last time before it went or asked no more, monotonic milliseconds. */
  readonly #askingUntil = new Map<string, number>();
  /** When an account said for the last time that its tokens are not to be tried, before it said otherwise, monotonic milliseconds. */
  readonly #untriedUntil = new Map<string, number>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  changed({ collection, type, object, previous }: Change): void {
    if (collection !== `${GROUP}/registryaccounts`) return;
    const account = object as unknown as RegistryAccount;
    const earlier = previous as unknown as RegistryAccount | undefined;
    const now = type === 'DELETED' ? [] : placesOf(account);
    const before = earlier ? placesOf(earlier) : [];
    const { name } = account.metadata;
    if (now.join() !== before.join()) this.#editedAt.set(name, this.#now());
    if (asksForRotation(earlier) && (type === 'DELETED' || !asksForRotation(account)))
      this.#askingUntil.set(name, this.#now());
    if (earlier?.spec.verify === 'Never' && (type === 'DELETED' || account.spec.verify !== 'Never'))
      this.#untriedUntil.set(name, this.#now());
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
  wantedBy({ spec }: Pick<RegistryToken, 'spec'>, registries: Pick<Registries, 'of'>): Place {
    const account = spec.accountRef?.name ?? 'default';
    return { account, region: spec.region ?? (registries.of(account).hasRegions ? DEFAULT_REGION : '') };
  }

  /** What was edited of an account less than so many milliseconds ago: a watch can be that late, and the operator with it. */
  editsOf(account: string, within: number): AccountEdits {
    const isRecent = (time = -Infinity): boolean => this.#now() - time < within;
    return {
      regions: isRecent(this.#editedAt.get(account)),
      rotation: isRecent(this.#askingUntil.get(account)),
      verify: isRecent(this.#untriedUntil.get(account)),
    };
  }
}

function asksForRotation(account: RegistryAccount | undefined): boolean {
  return (account?.spec.rotation?.requestedAt ?? '') !== '';
}

function placesOf({ metadata, spec }: RegistryAccount): string[] {
  return placesIn(spec).flatMap(({ region, endpoint }) => [
    keyOf(metadata.name, region),
    keyOf(metadata.name, endpoint),
  ]);
}
