import { abortable } from '../../common/abortable.ts';
import type { Clock } from '../../common/clock.ts';
import type { ListedToken, Registry } from '../../registry/port.ts';
import { RegistryError } from '../../registry/errors.ts';
import { SharedCall } from '../../registry/http/shared-call.ts';
import { listOf, scopeOfList } from '../../token/decide/scope.ts';
import type { Identity } from '../../token/sweep/unused-identities.ts';
import { readTag, type TaggedToken } from '../../token/sweep/tag.ts';
import type { AccountSessions, Issued } from '../account/account-sessions.ts';
import { MAX_FAILURES } from './failures.ts';

/** The living tokens of a place that carry a tag, as they were when the registry was asked: what came later may be missing. */
export interface TokenList {
  tokens: ReadonlyMap<string, TaggedToken>;
  /** Those that carry a tag and that the registry shows as dead, by identifier. */
  dead: ReadonlySet<string>;
  /** What tokens hang on there. */
  identities: readonly Identity[];
  /** The lists of scopes (`listOf`) in which tokens were looked for, where the registry keeps them apart. */
  scopes: ReadonlySet<string>;
  /** Which of these each row is in, by its identifier. */
  foundIn: ReadonlyMap<string, string>;
  /** Those that the registry did not show, and why. */
  unread: ReadonlyMap<string, RegistryError>;
  /** When it was asked for, on the monotonic clock. */
  askedAt: number;
}

/** Where registries keep tokens of different scopes apart. */
export interface ScopedAccounts {
  /** Whether the registry of an account lists them apart. */
  listsApart(account: string): boolean;
  /** Lists of scopes (`listOf`) in which tokens of an account can be. */
  scopesOf(account: string): ReadonlySet<string>;
  /** Lists in which tokens are looked for though nothing says that there are any, where they can be read. */
  alsoTried: readonly string[];
}

/** Where a token is, and what part of the registry it is for. */
type Scoped = Issued & { scope?: readonly string[] };

/** Of which scopes (`listOf`) tokens are listed: of one, of those in which tokens can be, or of all that the account can see. */
type Part = { scope: string } | 'known' | 'visible';

/** Milliseconds for which a list tells what is there. What is missing in it is looked for in a newer one. */
const MAX_AGE = 300_000;
/** Places, and scopes there where a registry lists them apart, whose lists are kept: those that were asked for last. */
const MAX_LISTS = 2_000;

/**
 * The registries' lists of tokens, shared by all who need one: a list is the whole account's, however little of it is wanted.
 * One list of a place is under way at a time.
 */
export class TokenLists {
  readonly #sessions: Pick<AccountSessions, 'registryOf'>;
  readonly #clock: Clock;
  readonly #scoped: ScopedAccounts;
  readonly #places = new Map<string, PlaceLists>();

  constructor(sessions: Pick<AccountSessions, 'registryOf'>, clock: Clock, scoped: ScopedAccounts) {
    this.#sessions = sessions;
    this.#clock = clock;
    this.#scoped = scoped;
  }

  /**
   * As `current`, of everything at the place. What is refused of a single scope, be it all that are known, is only noted there; so is
   * how the registry fails at one, unless it fails at all of them, or at several in a row.
   * @param everywhere whether to look also where nothing says that there are tokens: in every scope that the account can see
   * @throws RegistryError; the signal's reason
   */
  async whole(where: Issued, signal: AbortSignal, everywhere = false): Promise<TokenList> {
    const lists = this.#of(where, everywhere ? 'visible' : 'known');
    return lists.newerThan(lists.count, signal);
  }

  /** A list that is asked for after this call, at least of the scope. @throws RegistryError; the signal's reason */
  async current(where: Scoped, signal: AbortSignal): Promise<TokenList> {
    const lists = this.#of(where, { scope: listOf(where.scope) });
    return lists.newerThan(lists.count, signal);
  }

  /**
   * What is found in a list of the last minutes; where that holds nothing of the kind, in one that is asked for now.
   * @param find undefined: there is no such thing in this list
   * @throws RegistryError; the signal's reason
   */
  async find<T>(
    where: Scoped,
    find: (list: TokenList) => T | undefined,
    signal: AbortSignal,
  ): Promise<T | undefined> {
    const lists = this.#of(where, { scope: listOf(where.scope) });
    const { count } = lists;
    return find(await lists.recent(signal)) ?? find(await lists.newerThan(count, signal));
  }

  /** The last list of a place, however old; undefined when there was none. */
  last(where: Scoped): TokenList | undefined {
    return this.#places.get(this.#keyOf(where, { scope: listOf(where.scope) }))?.last;
  }

  /** An account works with other credentials or at other places: what was listed before says nothing any more. */
  forget(account: string): void {
    for (const key of this.#places.keys()) if (key.startsWith(`${account}/`)) this.#places.delete(key);
  }

  /** The name of a region says nothing of where its tokens are. */
  #keyOf({ account, place }: Issued, part: Part): string {
    const name = typeof part === 'object' ? `scope/${part.scope}` : part;
    const apart = this.#scoped.listsApart(account) ? `/${name}` : '';
    return `${account}/${place.identity}/${place.endpoint}${apart}`;
  }

  #of(where: Issued, part: Part): PlaceLists {
    const key = this.#keyOf(where, part);
    const known = this.#places.get(key);
    const lists = known ?? new PlaceLists((signal) => this.#ask(where, part, signal), this.#clock);
    // The last of them from now on. Whoever waits for one that goes has it.
    this.#places.delete(key);
    this.#places.set(key, lists);
    const [oldest = ''] = this.#places.keys();
    if (this.#places.size > MAX_LISTS) this.#places.delete(oldest);
    return lists;
  }

  async #ask(where: Issued, part: Part, signal: AbortSignal): Promise<Listed> {
    const registry = this.#sessions.registryOf(where);
    if (!this.#scoped.listsApart(where.account)) {
      const nowhere = { scopes: new Set<string>(), foundIn: new Map(), unread: new Map() };
      return { ...sorted(await rowsOf(registry, [], signal)), ...nowhere };
    }
    const rows: Row[] = [];
    const scopes = new Set<string>();
    const unread = new Map<string, RegistryError>();
    const foundIn = new Map<string, string>();
    const known = typeof part === 'object' ? new Set([part.scope]) : this.#scoped.scopesOf(where.account);
    const anyhow = typeof part === 'object' ? [] : [...this.#scoped.alsoTried];
    if (part === 'visible') anyhow.push(...(await scopesSeen(registry, signal)));
    let inARow = 0;
    for (const each of new Set([...known, ...anyhow])) {
      try {
        const found = await rowsOf(registry, scopeOfList(each), signal);
        rows.push(...found);
        scopes.add(each);
        inARow = 0;
        for (const { id } of found) foundIn.set(id, each);
      } catch (error) {
        if (!(error instanceof RegistryError) || error.concernsAll) throw error;
        inARow = error.isRefusal ? 0 : inARow + 1;
        if (inARow >= MAX_FAILURES) throw error;
        if (known.has(each) || !error.isRefusal) unread.set(each, error);
      }
    }
    const failure = [...unread.values()].find(({ isRefusal }) => !isRefusal || typeof part === 'object');
    if (failure && scopes.size === 0) throw failure;
    return { ...sorted(rows), scopes, foundIn, unread };
  }
}

/** A token that the registry keeps in its list, though it accepts it no more. */
interface DeadToken {
  id: string;
  dead: true;
}

type Row = TaggedToken | Identity | DeadToken;

async function rowsOf(registry: Registry, scope: readonly string[], signal: AbortSignal): Promise<Row[]> {
  return (await registry.list?.(scope, ours, signal)) ?? [];
}

/** Lists of the scopes (`listOf`) that the account can see; none where it may not ask for them. */
async function scopesSeen(registry: Registry, signal: AbortSignal): Promise<string[]> {
  try {
    return (await registry.scopes?.(signal))?.map(listOf) ?? [];
  } catch (error) {
    if (isOfScope(error)) return [];
    throw error;
  }
}

function sorted(rows: readonly Row[]): Pick<TokenList, 'tokens' | 'dead' | 'identities'> {
  return {
    tokens: new Map(rows.flatMap((row) => ('tag' in row ? [[row.id, row] as const] : []))),
    dead: new Set(rows.flatMap((row) => ('dead' in row ? [row.id] : []))),
    identities: rows.flatMap((row) => ('specHash' in row ? [row] : [])),
  };
}

/** Whether a list is refused for what its scope is: anyone who may name a scope can have that, and it says nothing of others. */
function isOfScope(error: unknown): error is RegistryError {
  return error instanceof RegistryError && error.isRefusal;
}

type Listed = Omit<TokenList, 'askedAt'>;

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
  readonly #ask: (signal: AbortSignal) => Promise<Listed>;
  readonly #clock: Clock;
  #asking: Asking | undefined;

  constructor(ask: (signal: AbortSignal) => Promise<Listed>, clock: Clock) {
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
        this.last = { ...(await this.#ask(signal)), askedAt };
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

function ours({ id, description, expiresAt, revoked, identity }: ListedToken): Row | undefined {
  if (identity) return { id, ...identity };
  const tag = readTag(description);
  return tag && (revoked ? { id, dead: true } : { id, tag, expiresAt });
}
