import type { RegistryToken } from '../../api/registry-token.ts';
import { listOf } from '../../token/decide/scope.ts';
import { findAbsent, recordedAt, type RecordedToken } from '../../token/sweep/absence.ts';
import { aliveAt, certainAt, isClean, NOTHING_FOUND, takeIn, without } from '../../token/sweep/findings.ts';
import { MAX_LIST_LAG } from '../../token/sweep/list-lag.ts';
import { confirm } from '../../token/sweep/suspects.ts';
import { mayRevoke, type UnknownToken } from '../../token/sweep/unused-tokens.ts';
import type { Users } from '../../token/sweep/users.ts';
import type { TokenList, TokenLists } from '../shared/token-lists.ts';
import { AbsentTokens } from './absent-tokens.ts';
import type { Look } from './look.ts';
import { SweepReporter } from './sweep-reporter.ts';
import { SweepRevoker, type Removed, type SweepRevokerOptions } from './sweep-revoker.ts';

export interface PlaceSweepOptions extends Omit<SweepRevokerOptions, 'users'> {
  users: SweepRevokerOptions['users'] & {
    /** What uses tokens, as the watches last saw it. */
    watched(): Users;
  };
  allTokens: () => RegistryToken[];
  lists: Pick<TokenLists, 'whole'>;
  sweep: 'revoke' | 'report';
  /** The time by the clock of an account's region, in milliseconds since 1970; by this machine's where that is not known. */
  registryNow: (account: string, region: string) => number;
  /** Milliseconds for which a token must have been seen unused. */
  sweepDelay: number;
  /** Told of tokens that statuses name and that the registry no longer has. */
  onGone: (token: RecordedToken) => void;
}

/** What one look at a list came to; its `failure` can also be that of a list of one scope. */
export interface Outcome extends Removed {
  list: TokenList;
  /** Uids of those that were to be gone and are still there. */
  stillThere: string[];
}

/**
 * Compares the list of one account and place with what the cluster knows. Tokens with this cluster's tag that nothing uses are
 * revoked once they have been seen so for long enough, those that are unknown here are reported, and those that statuses name
 * and the list lacks are told of. Whatever fails leaves what is known as it was.
 */
export class PlaceSweep {
  readonly #options: PlaceSweepOptions;
  readonly #revoker: SweepRevoker;
  readonly #reporter: SweepReporter;
  readonly #absent: AbsentTokens;
  #findings = NOTHING_FOUND;
  /** As in the last list. */
  #foundIn: TokenList['foundIn'] = new Map();
  /** Milliseconds that the registry's lists can lag. */
  #listLag = 0;

  constructor(options: PlaceSweepOptions) {
    this.#options = options;
    this.#reporter = new SweepReporter(options);
    this.#absent = new AbsentTokens(options);
    this.#revoker = new SweepRevoker(options, (id) => {
      this.#findings = without(this.#findings, id);
    });
  }

  /** Tokens that nothing used when last looked. */
  get orphans(): number {
    return this.#findings.orphans.size;
  }

  /** Whether nothing was left to be revoked or deleted when last looked. */
  get isClean(): boolean {
    return isClean(this.#findings);
  }

  /** Lists of scopes (`listOf`) in which something was left when last looked. */
  get uncleanScopes(): ReadonlySet<string> {
    const { orphans, unknown, identities } = this.#findings;
    const ids = [...orphans.keys(), ...unknown.keys(), ...identities.keys()];
    return new Set(ids.flatMap((id) => this.#foundIn.get(id) ?? []));
  }

  /** Tokens that are unknown here, and surely not for want of having looked twice. */
  get unknown(): readonly UnknownToken[] {
    return this.#reporter.unknown;
  }

  /** Whether the last list had tokens that may be another cluster's with this one's ids. */
  get isShared(): boolean {
    return this.#findings.unknown.size > 0;
  }

  /** As `certainAt` of the findings, and when tokens can be asked for at which the registry failed. */
  get certainAt(): number | undefined {
    const delays = { unused: this.#options.sweepDelay, absent: this.#absenceDelay };
    const times = [certainAt(this.#findings, delays), this.#absent.retryAt].filter(
      (time) => time !== undefined,
    );
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** However short the delay is that was configured, no shorter than the registry says that its lists can lag. */
  get #absenceDelay(): number {
    return Math.max(Math.min(this.#options.sweepDelay, MAX_LIST_LAG), this.#listLag);
  }

  /**
   * Looks once.
   * @throws RegistryError when it has no list; KubeError when what uses tokens can't be found out; LeadershipLost
   */
  async run(look: Look, signal: AbortSignal): Promise<Outcome> {
    const { allTokens, lists, registryNow, logger } = this.#options;
    const { region } = look;
    const account = look.account.metadata.name;
    this.#listLag = look.registry.capabilities.settling.listing;
    const issued = { account, region, place: look.place };
    const recorded = recordedAt(allTokens(), issued);
    const list = await lists.whole(issued, signal, look.everywhere);
    this.#findings = { ...this.#findings, askedAt: list.askedAt };
    const now = registryNow(account, region);
    for (const [scope, { message }] of list.unread)
      logger.warn({ account, region, scope }, `not swept: ${message}`);
    const [refusal] = list.unread.values();
    if (refusal && list.scopes.size === 0) {
      // What is in lists that may not be read shows by its id all the same.
      await this.#tellGone(look, recorded, list, now, signal);
      throw refusal;
    }
    const removed = await this.#removeUnused(look, list, now, signal);
    // Last, since it decides about no other token: what the registry does not say here keeps nothing from being revoked.
    const told = await this.#tellGone(look, recorded, list, now, signal);
    const unread = [...list.unread.values()].find(({ isRefusal }) => !isRefusal);
    return { ...removed, list, done: removed.done && told, failure: removed.failure ?? unread };
  }

  /** @throws KubeError, LeadershipLost */
  async #removeUnused(
    look: Look,
    list: TokenList,
    now: number,
    signal: AbortSignal,
  ): Promise<Omit<Outcome, 'list'>> {
    const { clusterId, sweep, sweepDelay } = this.#options;
    const { gone } = look;
    // Asked for after the list: what was minted and recorded before it is then known.
    const users = await this.#users(gone, signal);
    const tokens = [...list.tokens.values()];
    const listed = { tokens, identities: list.identities, askedAt: list.askedAt };
    const { findings, certain } = takeIn(this.#findings, listed, users, {
      clusterId,
      place: look.place,
      now,
      delay: sweepDelay,
    });
    this.#findings = findings;
    this.#foundIn = list.foundIn;
    this.#reporter.keepOnly((id) => findings.orphans.has(id) || findings.unknown.has(id));
    this.#reporter.reportUnknown(look, certain.unknown);
    const stillThere = [...gone].filter((uid) => users.inHand.has(uid));
    if (sweep === 'report') {
      this.#reporter.reportOrphans(look, certain.orphans);
      return { stillThere, done: true, failure: undefined };
    }
    // Asked for now that this list is taken in: what the one before showed as unknown may have been revoked meanwhile.
    const shared = look.isShared();
    const removals = {
      orphans: certain.orphans.filter((orphan) => mayRevoke(orphan, shared)),
      expired: certain.expired,
      // In another cluster with this one's ids, what a RegistryToken's tokens hang on can be in use.
      identities: shared ? [] : certain.identities,
      alive: aliveAt(tokens, now),
    };
    return { stillThere, ...(await this.#revoker.remove(look, removals, signal)) };
  }

  /** A watch can lag. That does no harm where nothing points to an unused token; else the API server is asked. */
  async #users(gone: ReadonlySet<string>, signal: AbortSignal): Promise<Users> {
    const { users } = this.#options;
    const suspicious = gone.size > 0 || !this.isClean;
    return suspicious ? users.live(gone, signal) : users.watched();
  }

  /** @returns whether time was left for all that may be gone @throws the signal's reason */
  async #tellGone(
    { registry }: Look,
    recorded: readonly RecordedToken[],
    { tokens, dead, unread, askedAt }: TokenList,
    now: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    // What is in a list that may not be read shows only by its id.
    const shown = registry.lookUp ? recorded : recorded.filter(({ scope }) => !unread.has(listOf(scope)));
    const absent = findAbsent(shown, tokens, now);
    const { suspects, certain } = confirm(absent, this.#findings.absent, askedAt, this.#absenceDelay);
    this.#findings = { ...this.#findings, absent: suspects };
    const { gone, done } = await this.#absent.findGone(certain, dead, registry, signal);
    for (const token of gone) this.#options.onGone(token);
    return done;
  }
}
