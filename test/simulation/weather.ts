import type { Climate } from './climate.ts';
import type { Dice } from './dice.ts';

/** What becomes of a call. */
export type Fate =
  | { kind: 'through' }
  /** The connection is refused: nothing was sent. */
  | { kind: 'refused' }
  /** The connection breaks; the call had its effect before, or never has. */
  | { kind: 'broken'; effect: boolean }
  /**
   * No answer comes within the client's patience. The call has its effect at once, never, or only that many milliseconds
   * after the client gave up.
   */
  | { kind: 'lost'; effect: 'at once' | 'never' | number }
  | { kind: 'refusal'; status: number; effect: boolean; retryAfter?: number };

const API_REFUSALS = [409, 429, 500, 503, 504];
const REGISTRY_REFUSALS = [401, 429, 500, 502, 503, 504];

/** Decides how each call fares: by the climate while there is trouble, well once there is none. */
export class Weather {
  readonly #climate: Climate;
  readonly #dice: Dice;
  /** Nothing gets through to the API server. */
  apiDown = false;
  /** Hosts of registries that are down. */
  readonly registriesDown = new Set<string>();
  calm = false;
  /** Milliseconds on the world's clock when something last went wrong. */
  #lastTrouble = -Infinity;
  /** The same where that was not at a registry. */
  #lastClusterTrouble = -Infinity;
  readonly #now: () => number;

  constructor(climate: Climate, dice: Dice, now: () => number) {
    this.#climate = climate;
    this.#dice = dice;
    this.#now = now;
  }

  /** Whether accounts lead elsewhere than they should. */
  isAstray: () => boolean = () => false;

  /** When something last went wrong, or was about to. */
  get lastTrouble(): number {
    return this.isAstray() || this.apiDown || this.registriesDown.size > 0 ? this.#now() : this.#lastTrouble;
  }

  /** When something other than a registry last failed, or was about to. */
  get lastClusterTrouble(): number {
    return this.apiDown ? this.#now() : this.#lastClusterTrouble;
  }

  trouble(): void {
    this.#lastTrouble = this.#lastClusterTrouble = this.#now();
  }

  clearUp(): void {
    this.calm = true;
    this.apiDown = false;
    this.registriesDown.clear();
    this.trouble();
  }

  /** Milliseconds on the way. */
  latency(): number {
    return this.#dice.chance(0.02) ? this.#dice.between(100, 3_000) : this.#dice.between(1, 20);
  }

  /** Milliseconds that a watch holds an event back. */
  lag(): number {
    if (!this.#strikes(this.#climate.staleness)) return this.#dice.between(1, 5);
    return this.#dice.pick([200, 2_000, 30_000]);
  }

  api(writes: boolean): Fate {
    if (this.apiDown) return this.#outage();
    if (!this.#strikes(this.#climate.apiFailure)) return { kind: 'through' };
    return this.#failure(writes, API_REFUSALS);
  }

  /** @param effect whether the call changes something */
  registry(host: string, effect: boolean): Fate {
    if (this.registriesDown.has(host)) return this.#outage();
    if (this.calm || !this.#dice.chance(this.#climate.registryFailure)) return { kind: 'through' };
    this.#lastTrouble = this.#now();
    return this.#failure(effect, REGISTRY_REFUSALS);
  }

  crashes(): boolean {
    return this.#strikes(this.#climate.crash);
  }

  freezes(): boolean {
    return this.#strikes(this.#climate.freeze);
  }

  #strikes(probability: number): boolean {
    const struck = !this.calm && this.#dice.chance(probability);
    if (struck) this.trouble();
    return struck;
  }

  #outage(): Fate {
    return this.#dice.pick<Fate>([
      { kind: 'refused' },
      { kind: 'lost', effect: 'never' },
      { kind: 'refusal', status: 503, effect: false },
    ]);
  }

  #failure(writes: boolean, refusals: readonly number[]): Fate {
    const dice = this.#dice;
    const kinds: [number, () => Fate][] = [
      [2, () => ({ kind: 'refused' })],
      [2, () => ({ kind: 'broken', effect: writes && dice.chance(0.5) })],
      [1, () => ({ kind: 'lost', effect: dice.pick(['at once', 'never', dice.between(0, 8_000)]) })],
      [3, () => this.#refusal(dice.pick(refusals))],
    ];
    return dice.weighted(kinds)();
  }

  #refusal(status: number): Fate {
    // A gateway loses sight of what it passed on; the others refuse before anything happens.
    const effect = [500, 502, 504].includes(status) && this.#dice.chance(0.5);
    const fate = { kind: 'refusal', status, effect } as const;
    return status === 429 && this.#dice.chance(0.5)
      ? { ...fate, retryAfter: this.#dice.pick([1, 5, 60]) }
      : fate;
  }
}
