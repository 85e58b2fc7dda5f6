import { abortable } from '../../common/abortable.ts';
import type { Clock } from '../../common/clock.ts';
import type { ListedToken } from '../../registry/port.ts';
import { SharedCall } from '../../registry/http/shared-call.ts';
import { readTag, type TaggedToken } from '../../token/sweep/tag.ts';
import type { AccountSessions, Issued } from '../account/account-sessions.ts';

/** The living tokens of a place that carry a tag, as they were when the registry was asked: what came later may be missing. */
export interface TokenList {
  tokens: ReadonlyMap<string, TaggedToken>;
  /** When it was asked for, on the monotonic clock. */
  askedAt: number;
}

/** Milliseconds for which a list tells what is there. What is missing in it is looked for in a newer one. */
const MAX_AGE = 300_000;

/**
 * The registries' lists of tokens, shared by all who need one: a list is the whole account's, however little of it is wanted.
 * One list of a place is under way at a time.
 */
export class TokenLists {
  readonly #sessions: Pick<AccountSessions, 'registryOf'>;
  readonly #clock: Clock;
  readonly #places = new Map<string, PlaceLists>();

  constructor(sessions: Pick<AccountSessions, 'registryOf'>, clock: Clock) {
    this.#sessions = sessions;
    this.#clock = clock;
  }

  /** A list that is asked for after this call. @throws RegistryError; the signal's reason */
  async current(where: Issued, signal: AbortSignal): Promise<TokenList> {
    const lists = this.#of(where);
    return lists.newerThan(lists.count, signal);
  }

  /**
   * What is found in a list of the last minutes; where that holds nothing of the kind, in one that is asked for now.
   * @param find undefined: there is no such thing in this list
   * @throws RegistryError; the signal's reason
   */
  async find<T>(
    where: Issued,
    find: (list: TokenList) => T | undefined,
    signal: AbortSignal,
  ): Promise<T | undefined> {
    const lists = this.#of(where);
    const { count } = lists;
    return find(await lists.recent(signal)) ?? find(await lists.newerThan(count, signal));
  }

  /** The last list of a place, however old; undefined when there was none. */
  last(where: Issued): TokenList | undefined {
    return this.#places.get(keyOf(where))?.last;
  }

  /** An account works with other credentials or at other places: what was listed before says nothing any more. */
  forget(account: string): void {
    for (const key of this.#places.keys()) if (key.startsWith(`${account}/`)) this.#places.delete(key);
  }

  #of(where: Issued): PlaceLists {
    const key = keyOf(where);
    let lists = this.#places.get(key);
    if (!lists) {
      const ask = async (signal: AbortSignal): Promise<TaggedToken[]> =>
        this.#sessions.registryOf(where).list(tagged, signal);
      lists = new PlaceLists(ask, this.#clock);
      this.#places.set(key, lists);
    }
    return lists;
  }
}

interface Asking {
  call: SharedCall<TokenList>;
  /** The how-manieth it is. */
  number: number;
  /** Fulfilled when it is over, however it went. */
  over: Promise<void>;
}

/** The lists of one place. */
class PlaceLists {
  /** How many were asked for. */
  count = 0;
  last: TokenList | undefined;
  /** The how-manieth that was. */
  #lastNumber = 0;
  readonly #ask: (signal: AbortSignal) => Promise<TaggedToken[]>;
  readonly #clock: Clock;
  #asking: Asking | undefined;

  constructor(ask: (signal: AbortSignal) => Promise<TaggedToken[]>, clock: Clock) {
    this.#ask = ask;
    this.#clock = clock;
  }

  /** The last one or, where that is too old, the next. */
  async recent(signal: AbortSignal): Promise<TokenList> {
    if (this.last && this.#clock.monotonic() - this.last.askedAt <= MAX_AGE) return this.last;
    return this.newerThan(this.#lastNumber, signal);
  }

  /** @param number of the last list that is too old */
  async newerThan(number: number, signal: AbortSignal): Promise<TokenList> {
    for (;;) {
      if (this.last && this.#lastNumber > number) return this.last;
      const asking = this.#asking ?? this.#begin();
      if (asking.number > number && !asking.call.abandoned) return asking.call.join(signal);
      // The next one begins for all who wait here.
      await abortable(asking.over, signal);
    }
  }

  #begin(): Asking {
    const askedAt = this.#clock.monotonic();
    const number = ++this.count;
    const over = Promise.withResolvers<void>();
    const call = new SharedCall(async (signal) => {
      try {
        const tokens = await this.#ask(signal);
        this.last = { tokens: new Map(tokens.map((token) => [token.id, token])), askedAt };
        this.#lastNumber = number;
        return this.last;
      } finally {
        this.#asking = undefined;
        over.resolve();
      }
    });
    return (this.#asking = { call, number, over: over.promise });
  }
}

/** The name of a region says nothing of where its tokens are. */
const keyOf = ({ account, place }: Issued): string => `${account}/${place.accountId}/${place.endpoint}`;

function tagged({ id, description, expiresAt, revoked }: ListedToken): TaggedToken | undefined {
  const tag = revoked ? undefined : readTag(description);
  return tag && { id, tag, expiresAt };
}
