import type { Clock } from '../../common/clock.ts';
import { RegistryError } from '../errors.ts';
import type { RegistryClient } from '../http/registry-client.ts';
import { SharedCall } from '../http/shared-call.ts';
import type { AccessToken } from './access-token.ts';
import { exchangeApiKey, type ApiKey } from './exchange.ts';

/** An access token in use. Times are monotonic milliseconds. */
export interface Grant extends AccessToken {
  since: number;
  /** Whether a service had refused the one before. */
  afterRefusal: boolean;
}

interface Setback {
  error: RegistryError;
  /** Monotonic milliseconds; until then IAM is not asked again. */
  until: number;
}

/** Share of its life after which a token is renewed, as IBM's SDK does (ibm-cloud-sdk-core, JwtTokenManager). */
const RENEW_AFTER = 0.8;
/** A token counts as expired this long before it expires, so that it is still valid on arrival. Milliseconds. */
const EXPIRY_MARGIN = 10_000;
/** Pause after IAM refused a key. Milliseconds. */
const REFUSAL_PAUSE = 60_000;
/** Pause after any other failure of IAM, unless it asks for longer. Milliseconds. */
const FAILURE_PAUSE = 5_000;
/** Longest pause that IAM gets, whatever it asks for: a header must not let a token expire. Milliseconds. */
const MAX_PAUSE = 600_000;
/** A token as young as this proves that the key works. Milliseconds. */
const PROOF_AGE = 60_000;

/**
 * Access tokens for one API key. All callers share one exchange at a time, and there is none during the pause after a
 * failure. Lifetimes are counted on the monotonic clock from before the request, so neither a skewed nor a jumping clock
 * keeps a dead token in use.
 */
export class IamSession {
  readonly #client: RegistryClient;
  readonly #clock: Clock;
  readonly #apiKey: ApiKey;
  #grant: Grant | undefined;
  #exchange: SharedCall<Grant> | undefined;
  #setback: Setback | undefined;

  constructor(client: RegistryClient, clock: Clock, apiKey: ApiKey) {
    this.#client = client;
    this.#clock = clock;
    this.#apiKey = apiKey;
  }

  /** Secrets in this session's requests; no message may show them. */
  get apiKey(): ApiKey {
    return this.#apiKey;
  }

  /**
   * A valid access token. From 80 % of its life on, it is renewed in the background.
   * @throws RegistryError when no valid one can be obtained; the signal's reason
   */
  async grant(signal: AbortSignal): Promise<Grant> {
    signal.throwIfAborted();
    const grant = this.#grant;
    const age = grant ? this.#age(grant) : 0;
    if (!grant || age >= grant.lifetime - EXPIRY_MARGIN) return this.#renewed(false, signal);
    if (age >= grant.lifetime * RENEW_AFTER && !this.#freshSetback) this.#exchangeNow(false).keep();
    return grant;
  }

  /**
   * Another access token in place of one that a service refused; undefined when that one itself replaced a refused one
   * a moment ago: then the token is not the cause.
   * @throws RegistryError when none can be obtained; the signal's reason
   */
  async replace(refused: Grant, signal: AbortSignal): Promise<Grant | undefined> {
    if (this.#grant && this.#grant !== refused) return this.#grant;
    if (refused.afterRefusal && this.#age(refused) < REFUSAL_PAUSE) return undefined;
    return this.#renewed(true, signal);
  }

  /**
   * Finds out whether IAM knows the key, from IAM itself unless it just said so.
   * @throws RegistryError when it does not, or can't be asked; the signal's reason
   */
  async prove(signal: AbortSignal): Promise<Grant> {
    const grant = this.#grant;
    return grant && this.#age(grant) < PROOF_AGE && !this.#freshSetback
      ? grant
      : this.#renewed(false, signal);
  }

  #age({ since }: Grant): number {
    return this.#clock.monotonic() - since;
  }

  get #freshSetback(): Setback | undefined {
    return this.#setback && this.#clock.monotonic() < this.#setback.until ? this.#setback : undefined;
  }

  async #renewed(afterRefusal: boolean, signal: AbortSignal): Promise<Grant> {
    const setback = this.#freshSetback;
    if (setback) throw setback.error.asUnsent(setback.until - this.#clock.monotonic());
    return this.#exchangeNow(afterRefusal).join(signal);
  }

  #exchangeNow(afterRefusal: boolean): SharedCall<Grant> {
    if (this.#exchange && !this.#exchange.abandoned) return this.#exchange;
    const exchange = new SharedCall((signal) => this.#run(afterRefusal, signal));
    this.#exchange = exchange;
    return exchange;
  }

  async #run(afterRefusal: boolean, signal: AbortSignal): Promise<Grant> {
    const since = this.#clock.monotonic();
    try {
      const token = await exchangeApiKey(this.#client, this.#apiKey, this.#clock.now(), signal);
      this.#grant = { ...token, since, afterRefusal };
      this.#setback = undefined;
      return this.#grant;
    } catch (error) {
      if (error instanceof RegistryError)
        this.#setback = { error, until: this.#clock.monotonic() + pauseAfter(error) };
      throw error;
    } finally {
      // An abandoned one may have a successor by now.
      if (!signal.aborted) this.#exchange = undefined;
    }
  }
}

function pauseAfter({ retryable, retryAfter = 0 }: RegistryError): number {
  return retryable ? Math.min(Math.max(retryAfter, FAILURE_PAUSE), MAX_PAUSE) : REFUSAL_PAUSE;
}
