import type { Clock } from '../../common/clock.ts';
import type { IssuedToken, Tag } from '../port.ts';
import { RegistryError } from '../errors.ts';
import { SharedCall } from '../http/shared-call.ts';

/** A token that was exchanged, and who has it. Times are monotonic milliseconds. */
interface Exchanged {
  token: IssuedToken;
  since: number;
  /** Half of its life: after that, the next request gets a new one. */
  givenUntil: number;
  /** The revision for which each has it, by uid. */
  holders: Map<string, number>;
}

interface Setback {
  error: RegistryError;
  until: number;
}

/** What is known of one exchange. */
interface Slot {
  call?: SharedCall<Exchanged> | undefined;
  last?: Exchanged | undefined;
  setback?: Setback | undefined;
}

/** A token younger than this is also given to requests for its successor. Milliseconds. */
const MIN_AGE = 60_000;
/** Pause after an exchange was refused. Milliseconds. */
const REFUSAL_PAUSE = 60_000;
/** Pause after any other failure, unless AWS asks for longer. Milliseconds. */
const FAILURE_PAUSE = 5_000;
/** Longest pause that AWS gets, whatever it asks for: a header must not let a token expire. Milliseconds. */
const MAX_PAUSE = 600_000;
/** Most exchanges that are kept; the least recently used are dropped. */
const MAX_SLOTS = 1_000;

/**
 * Exchanges that RegistryTokens share. All that need the same one share a call. There is none during the pause after a
 * failure, and none while the last token has more than half of its life left, unless its holder wants a successor.
 */
export class SharedExchanges {
  readonly #clock: Clock;
  readonly #slots = new Map<string, Slot>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * @param key the same for those that can share a token
   * @param exchange gets one; `life` in milliseconds from now
   * @throws RegistryError, the signal's reason, or what the exchange throws
   */
  async give(
    key: string,
    { uid, revision }: Pick<Tag, 'uid' | 'revision'>,
    exchange: (signal: AbortSignal) => Promise<{ token: IssuedToken; life: number }>,
    signal: AbortSignal,
  ): Promise<IssuedToken> {
    const slot = this.#slotOf(key);
    const { last, setback } = slot;
    const now = this.#clock.monotonic();
    if (last && this.#mayHave(last, uid, revision)) return given(last, uid, revision);
    if (setback && now < setback.until) throw setback.error.asUnsent(setback.until - now);
    if (!slot.call || slot.call.abandoned)
      slot.call = new SharedCall((limited) => this.#run(slot, exchange, limited));
    return given(await slot.call.join(signal), uid, revision);
  }

  #mayHave({ since, givenUntil, holders }: Exchanged, uid: string, revision: number): boolean {
    const now = this.#clock.monotonic();
    if (now >= givenUntil) return false;
    const wantsSuccessor = (holders.get(uid) ?? Infinity) < revision;
    return !wantsSuccessor || now < since + MIN_AGE;
  }

  async #run(
    slot: Slot,
    exchange: (signal: AbortSignal) => Promise<{ token: IssuedToken; life: number }>,
    signal: AbortSignal,
  ): Promise<Exchanged> {
    try {
      const { token, life } = await exchange(signal);
      const since = this.#clock.monotonic();
      slot.last = { token, since, givenUntil: since + life / 2, holders: new Map() };
      slot.setback = undefined;
      return slot.last;
    } catch (error) {
      // A request that was not sent says nothing about the exchange; its error has its own retry time.
      if (error instanceof RegistryError && !error.unsent)
        slot.setback = { error, until: this.#clock.monotonic() + pauseAfter(error) };
      throw error;
    } finally {
      // An abandoned one may have a successor by now.
      if (!signal.aborted) slot.call = undefined;
    }
  }

  /** The slot of a key, now the most recently used; slots that are of no more use are dropped. */
  #slotOf(key: string): Slot {
    const slot = this.#slots.get(key) ?? {};
    this.#slots.delete(key);
    this.#slots.set(key, slot);
    const now = this.#clock.monotonic();
    for (const [other, { call, last, setback }] of this.#slots) {
      const useful = call ?? now < Math.max(last?.givenUntil ?? 0, setback?.until ?? 0);
      if (other !== key && (!useful || this.#slots.size > MAX_SLOTS)) this.#slots.delete(other);
    }
    return slot;
  }
}

function given({ token, holders }: Exchanged, uid: string, revision: number): IssuedToken {
  // A request for a successor that got none is repeated.
  if (!holders.has(uid)) holders.set(uid, revision);
  return token;
}

function pauseAfter({ retryable, retryAfter = 0 }: RegistryError): number {
  return retryable ? Math.min(Math.max(retryAfter, FAILURE_PAUSE), MAX_PAUSE) : REFUSAL_PAUSE;
}
