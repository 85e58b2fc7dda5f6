import type { Place } from '../../api/registry-token.ts';
import { isSamePlace } from '../../token/lifecycle/place.ts';
import type { Debt } from '../../token/sweep/debts.ts';
import { NOT_SEARCHED, type SearchedScopes } from '../../token/sweep/searched-scopes.ts';
import type { Suspects } from '../../token/sweep/suspects.ts';
import { PlaceSweep, type PlaceSweepOptions } from './place-sweep.ts';

/** What is remembered of one endpoint of one account from look to look. Times are monotonic milliseconds. */
export class SweptPlace {
  readonly #options: PlaceSweepOptions;
  sweep: PlaceSweep;
  dueAt = -Infinity;
  failures = 0;
  /** What is owed there, or was when the endpoint led elsewhere. */
  debts: readonly Debt[] = [];
  scopes: SearchedScopes = NOT_SEARCHED;
  /** Tokens kept on purpose that the last list lacked. */
  missingRetained: Suspects = new Map();
  /** Wall-clock milliseconds of the last complete look; undefined: there was none. */
  sweptAt: number | undefined;
  /** When the first list of that place was asked for; undefined: not yet. */
  firstAskedAt: number | undefined;
  /** When the last list of every scope that the account can see was asked for; undefined: not yet. */
  everywhereAt: number | undefined;
  /** Where it led when it was last looked at, or was to be; undefined: not known yet. */
  #place: Place | undefined;

  constructor(options: PlaceSweepOptions) {
    this.#options = options;
    this.sweep = new PlaceSweep(options);
  }

  /** Whether something is known to be left there. */
  get isOpen(): boolean {
    return this.debts.length > 0 || this.sweep.orphans > 0;
  }

  /**
   * A RegistryToken left tokens there. Where looks failed since the first of these, it is tried again anyhow: asking for each of many
   * would only lengthen the wait.
   */
  owe(debt: Debt): void {
    if (this.debts.length === 0 || this.failures === 0) this.dueAt = debt.since;
    this.debts = [...this.debts, debt];
  }

  /** What was seen elsewhere says nothing of a place: it is looked at now. @param place undefined: not known */
  leadsTo(place: Place | undefined, now: number): void {
    if (!place || (this.#place && isSamePlace(this.#place, place))) return;
    if (this.#place) this.#forget();
    this.#place = place;
    this.failures = 0;
    this.firstAskedAt = undefined;
    this.everywhereAt = undefined;
    this.dueAt = now;
  }

  #forget(): void {
    this.sweep = new PlaceSweep(this.#options);
    this.scopes = NOT_SEARCHED;
    this.missingRetained = new Map();
    this.sweptAt = undefined;
  }
}
