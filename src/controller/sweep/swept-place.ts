import type { Place } from '../../api/registry-token.ts';
import type { RegistryError } from '../../registry/errors.ts';
import type { Failure } from '../../token/lifecycle/failure.ts';
import { isSamePlace } from '../../token/lifecycle/place.ts';
import { debtKey, debtsAt, type Debt } from '../../token/sweep/debts.ts';
import { scopesInUse } from '../../token/sweep/known-scopes.ts';
import { MAX_LIST_LAG } from '../../token/sweep/list-lag.ts';
import { missingRetained, type RetainedToken } from '../../token/sweep/retained.ts';
import {
  afterSearch,
  NOT_SEARCHED,
  withNoted,
  type SearchedScopes,
} from '../../token/sweep/searched-scopes.ts';
import { confirm, type Suspects } from '../../token/sweep/suspects.ts';
import { afterFailure, afterLook, isTimeForAll } from '../../token/sweep/sweep-schedule.ts';
import { failureOf } from '../shared/failures.ts';
import { AbsentTokens } from './absent-tokens.ts';
import type { Look } from './look.ts';
import { PlaceSweep, type PlaceSweepOptions } from './place-sweep.ts';

export interface SweptPlaceOptions extends PlaceSweepOptions {
  random: () => number;
  /** Milliseconds from one look at a place to the next. */
  sweepInterval: number;
}

/** What a look at a place came to. */
export interface Seen {
  /** Tokens kept on purpose that are gone. */
  goneRetained: RetainedToken[];
  /** How the registry failed at what keeps nothing else waiting: one token, or the list of one scope. */
  failure: RegistryError | undefined;
}

/** Milliseconds to which the times of late looks are rounded up. */
const GRAIN = 1_000;
const NONE: ReadonlySet<string> = new Set();

/** One endpoint of one account: what is remembered from look to look, and when the next one is due. Times are monotonic milliseconds. */
export class SweptPlace {
  readonly #options: SweptPlaceOptions;
  sweep: PlaceSweep;
  /** Looks in a row that had no list. */
  #failures = 0;
  /** Looks in a row that had a list, and where the registry failed at something else. */
  #unfinished = 0;
  #scopes: SearchedScopes = NOT_SEARCHED;
  #sweptAt: number | undefined;
  /** When it is looked at next, if nothing is to be seen before. */
  #nextAt = -Infinity;
  /** When what came of requests that were given up is to be seen. */
  readonly #lateAt = new Set<number>();
  /** Whether its account changed since the last look began. */
  #isChanged = false;
  /** What is owed there, or was when the endpoint led elsewhere, by `debtKey`. */
  #debts = new Map<string, Debt>();
  /** Where it led when it was last looked at, or was to be; undefined: not known yet. */
  #place: Place | undefined;
  /** When the first list of that place was asked for; undefined: not yet. */
  #firstAskedAt: number | undefined;
  /** When it was last looked at in every scope that the account can see; undefined: not yet. */
  #everywhereAt: number | undefined;
  /** Tokens kept on purpose that the last list lacked. */
  #missingRetained: Suspects = new Map();
  #absentRetained: AbsentTokens;

  constructor(options: SweptPlaceOptions) {
    this.#options = options;
    this.sweep = new PlaceSweep(options);
    this.#absentRetained = new AbsentTokens(options);
  }

  /** When it is to be looked at. */
  get dueAt(): number {
    return Math.min(this.#nextAt, ...this.#lateAt);
  }

  /** Wall-clock milliseconds of the last complete look; undefined: there was none. */
  get sweptAt(): number | undefined {
    return this.#sweptAt;
  }

  /** What is known of the scopes that were searched. */
  get scopes(): SearchedScopes {
    return this.#scopes;
  }

  get debts(): Iterable<Debt> {
    return this.#debts.values();
  }

  get isOwed(): boolean {
    return this.#debts.size > 0;
  }

  /** Whether something is known to be left there. */
  get isOpen(): boolean {
    return this.isOwed || this.sweep.orphans > 0;
  }

  /**
   * A RegistryToken left tokens there. Where looks failed since the first of these, it is tried again anyhow: asking for each of many
   * would only lengthen the wait.
   */
  owe(debt: Debt): void {
    if (!this.isOwed || this.#failures === 0) this.#nextAt = debt.since;
    this.#debts.set(debtKey(debt), debt);
  }

  /** What is owed where nobody will ever look again is forgotten. */
  writeOff(isLost: (debt: Debt) => boolean): void {
    for (const [key, debt] of this.#debts) if (isLost(debt)) this.#debts.delete(key);
  }

  /** Tokens may be left in these scopes: that they were searched in vain before says nothing. */
  noteScopes(scopes: ReadonlySet<string>): void {
    this.#scopes = withNoted(this.#scopes, scopes);
  }

  /** Something is to be seen there from that time on, whatever is seen before. */
  lookLate(at: number): void {
    // Many requests can be given up one after the other.
    this.#lateAt.add(Math.ceil(at / GRAIN) * GRAIN);
  }

  /** Nobody looks for now: it is looked at at once when somebody can. */
  pause(): void {
    this.#nextAt = -Infinity;
  }

  /** Its account or credentials changed: what failed, or fails just now, may work. */
  accountChanged(): void {
    this.#isChanged = true;
    if (this.#failures + this.#unfinished > 0) this.#nextAt = this.#options.clock.monotonic();
  }

  /** What was seen elsewhere says nothing of a place: it is looked at now. @param place undefined: not known */
  leadsTo(place: Place | undefined, now: number): void {
    if (!place || (this.#place && isSamePlace(this.#place, place))) return;
    if (this.#place) this.forget();
    this.#place = place;
    this.#failures = 0;
    this.#unfinished = 0;
    this.#firstAskedAt = undefined;
    this.#everywhereAt = undefined;
    this.#nextAt = now;
  }

  /**
   * Looks once, and decides when to look again. That the registry fails at one token, or at the list of one scope, keeps nothing
   * else that lists show from being taken in.
   * @param isNamed whether anything in the cluster points there
   * @throws as `PlaceSweep.run`
   */
  async look(part: Omit<Look, 'gone' | 'everywhere'>, isNamed: boolean, signal: AbortSignal): Promise<Seen> {
    const { clock, sweepInterval, allTokens } = this.#options;
    const { account, place, registry } = part;
    const inUse = scopesInUse(account.metadata.name, allTokens());
    const looked = debtsAt([...this.debts], place);
    const gone = new Set(looked.map(({ uid }) => uid));
    const began = clock.monotonic();
    this.#isChanged = false;
    // Where that failed, what is known to be there comes first.
    const everywhere = this.#failures === 0 && isTimeForAll(this.#everywhereAt, began);
    const { list, stillThere, done, failure } = await this.sweep.run({ ...part, gone, everywhere }, signal);
    const { askedAt } = list;
    this.#failures = 0;
    this.#unfinished = failure ? this.#unfinished + 1 : 0;
    this.#firstAskedAt ??= askedAt;
    if (everywhere) this.#everywhereAt = began;
    const { debts, dueAt } = afterLook([...this.debts], {
      place,
      looked,
      stillThere,
      askedAt,
      firstAskedAt: this.#firstAskedAt,
      done,
      now: clock.monotonic(),
      listLag: registry.capabilities.settling.listing,
      certainAt: this.sweep.certainAt,
      interval: sweepInterval,
    });
    this.#debts = new Map(debts.map((debt) => [debtKey(debt), debt]));
    const retryAt = failure ? this.#retryAt(failureOf(failure), this.#unfinished, isNamed) : Infinity;
    this.#lookNext(Math.min(dueAt, retryAt), began);
    this.#scopes = afterSearch(this.#scopes, list, inUse, this.sweep.uncleanScopes);
    if (list.unread.size === 0 && !failure) this.#sweptAt = clock.now();
    // What is in a list that may not be read shows only by its id.
    const shown = registry.lookUp ? { tokens: list.tokens, unread: NONE } : list;
    const missing = missingRetained(account.status?.retainedTokens ?? [], place, shown);
    // A list can lag: what lists lack that are so far apart is gone.
    const lag = Math.max(MAX_LIST_LAG, registry.capabilities.settling.absence);
    const { suspects, certain } = confirm(missing, this.#missingRetained, askedAt, lag);
    this.#missingRetained = suspects;
    // What is not found out here is for the next look, whenever that is: nothing waits for it.
    const { gone: goneRetained } = await this.#absentRetained.findGone(certain, list.dead, registry, signal);
    return { goneRetained, failure };
  }

  /** A look had no list. @param isNamed whether anything in the cluster points there */
  failed(failure: Failure, isNamed: boolean): void {
    this.#lookNext(this.#retryAt(failure, ++this.#failures, isNamed), this.#options.clock.monotonic());
    this.#isChanged = false;
  }

  /** @param failures in a row, this one included */
  #retryAt(failure: Failure, failures: number, isNamed: boolean): number {
    const { clock, random, sweepInterval: interval } = this.#options;
    const now = clock.monotonic();
    if (this.#isChanged) return now;
    return afterFailure({ failure, failures, isNamed, now, interval, random: random() });
  }

  /** @param seen until when what was to be seen is seen, or is seen by the next look */
  #lookNext(at: number, seen: number): void {
    this.#nextAt = at;
    for (const time of this.#lateAt) if (time <= seen) this.#lateAt.delete(time);
  }

  /** Only what is owed there stays. */
  forget(): void {
    this.sweep = new PlaceSweep(this.#options);
    this.#scopes = NOT_SEARCHED;
    this.#missingRetained = new Map();
    this.#absentRetained = new AbsentTokens(this.#options);
    this.#sweptAt = undefined;
    this.pause();
  }
}
