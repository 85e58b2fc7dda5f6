import type { Clock } from '../../common/clock.ts';
import type { IssuedToken, Tag } from '../port.ts';
import { RegistryError } from '../errors.ts';
import { SharedCall } from '../http/shared-call.ts';

/** A token that was exchanged, and who has it. Times are monotonic milliseconds. */
interface Exchanged {
  token: IssuedToken;
  since: number;
  /** Half of its life: then there is to be a new one for whoever asks. */
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

/** A token as young as this is given to who asks for a successor to it as well. Milliseconds. */
const MIN_AGE = 60_000;
/** How long an exchange that was refused is not tried again. Milliseconds. */
const REFUSAL_PAUSE = 60_000;
/** How long it is not tried again after it failed otherwise, unless it is asked for longer. Milliseconds. */
const FAILURE_PAUSE = 5_000;
/** However long it is asked for: a token must not end because of a header. Milliseconds. */
const MAX_PAUSE = 600_000;
/** Exchanges that are kept: beyond it, those that were asked for longest ago are done again. */
const MAX_SLOTS = 1_000;

/**
 * Exchanges that RegistryTokens share. However many ask for the same, there is one call at a time, none while the last failure
 * is fresh, and none while what there is has more than half of its life before it, unless its holder wants a successor.
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
      // What was not sent tells nothing of the exchange, and whoever kept it back says when it can be.
      if (error instanceof RegistryError && !error.unsent)
        slot.setback = { error, until: this.#clock.monotonic() + pauseAfter(error) };
      throw error;
    } finally {
      // An abandoned one may have a successor by now.
      if (!signal.aborted) slot.call = undefined;
    }
  }

  /** The slot of a key, the last of them from now on; those that nobody can use any more go. */
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
  // Whoever asked for a successor in vain goes on asking for one.
  if (!holders.has(uid)) holders.set(uid, revision);
  return token;
}

function pauseAfter({ retryable, retryAfter = 0 }: RegistryError): number {
  return retryable ? Math.min(Math.max(retryAfter, FAILURE_PAUSE), MAX_PAUSE) : REFUSAL_PAUSE;
}
