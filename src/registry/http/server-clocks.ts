import type { Clock } from '../../common/clock.ts';

interface Sample {
  /** How far the server was ahead, in milliseconds. */
  ahead: number;
  /** This machine's clocks at that moment. */
  wall: number;
  monotonic: number;
}

/** Smaller differences are ignored: a Date header has whole seconds, and the answer takes time to arrive. Milliseconds. */
const NOISE = 5_000;

/**
 * Compares the clocks of registries, as their answers' Date headers tell them, with this machine's. Expiry is a matter
 * of the registry's clock, whichever of the two is right.
 */
export class ServerClocks {
  readonly #clock: Clock;
  readonly #samples = new Map<string, Sample>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Records the time in an answer.
   * @param region empty for what all regions share
   * @param serverTime milliseconds since 1970
   */
  note(account: string, region: string, serverTime: number): void {
    const wall = this.#clock.now();
    this.#samples.set(key(account, region), {
      ahead: serverTime - wall,
      wall,
      monotonic: this.#clock.monotonic(),
    });
  }

  /**
   * The time by a region's clock, in milliseconds since 1970; where the region has not been heard since this machine's clock was set,
   * by what its account shares; by this machine's own where nothing is known.
   */
  now(account: string, region: string): number {
    const { ahead = 0 } = this.#current(key(account, region)) ?? this.#current(key(account, '')) ?? {};
    return this.#clock.now() + (Math.abs(ahead) < NOISE ? 0 : ahead);
  }

  /** What was heard, unless this machine's clock was set since. */
  #current(key: string): Sample | undefined {
    const sample = this.#samples.get(key);
    if (!sample) return undefined;
    const jump = this.#clock.now() - sample.wall - (this.#clock.monotonic() - sample.monotonic);
    return Math.abs(jump) < NOISE ? sample : undefined;
  }
}

const key = (account: string, region: string): string => `${account}/${region}`;
