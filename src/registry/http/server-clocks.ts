import type { Clock } from '../../common/clock.ts';

interface Sample {
  /** How far the server was ahead, in milliseconds. */
  skew: number;
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
      skew: serverTime - wall,
      wall,
      monotonic: this.#clock.monotonic(),
    });
  }

  /**
   * How far a region's clock is ahead of this machine's, in milliseconds; where the region has not been heard since this machine's
   * clock was set, what its account shares. 0 where nothing is known.
   */
  skew(account: string, region: string): number {
    const { skew = 0 } = this.#current(key(account, region)) ?? this.#current(key(account, '')) ?? {};
    return Math.abs(skew) < NOISE ? 0 : skew;
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
