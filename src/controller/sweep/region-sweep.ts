import type { RegistryAccount } from '../../api/registry-account.ts';
import type { Place, RegistryToken } from '../../api/registry-token.ts';
import { firstOf } from '../../api/syntax/text.ts';
import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import type { EventRecorder } from '../../kube/events/event-recorder.ts';
import { RegistryError } from '../../registry/errors.ts';
import type { Registry } from '../../registry/port.ts';
import { listOf } from '../../token/decide/scope.ts';
import { findAbsent, MAX_LIST_LAG, recordedAt, type RecordedToken } from '../../token/sweep/absence.ts';
import { findUnusedIdentities, type Identity } from '../../token/sweep/identities.ts';
import {
  confirm,
  findUnused,
  mayRevoke,
  nextCertain,
  standingOf,
  type Orphan,
  type Suspects,
  type UnknownToken,
  type Users,
} from '../../token/sweep/sweep.ts';
import type { TaggedToken } from '../../token/sweep/tag.ts';
import type { TokenMetrics } from '../shared/metrics.ts';
import type { TokenList, TokenLists } from '../shared/token-lists.ts';

export interface RegionSweepOptions {
  users: { watched(): Users; live(gone: Iterable<string>, signal: AbortSignal): Promise<Users> };
  allTokens: () => RegistryToken[];
  lists: Pick<TokenLists, 'whole'>;
  events: EventRecorder;
  metrics: TokenMetrics;
  logger: Logger;
  clock: Clock;
  clusterId: string;
  sweep: 'revoke' | 'report';
  /** How far the clock of an account's region is ahead, in milliseconds; 0 where that is not known. */
  skew: (account: string, region: string) => number;
  /** Milliseconds for which a token must have been seen unused. */
  sweepDelay: number;
  /** Told of tokens that statuses name and that the registry no longer has. */
  onGone: (token: RecordedToken) => void;
}

/** What one look is told. */
export interface Look {
  account: RegistryAccount;
  /** Where the region leads now. */
  place: Place;
  /** The registry there. */
  registry: Registry;
  /** Uids of RegistryTokens that went, or are about to, and may have left tokens here. */
  gone: ReadonlySet<string>;
  /** Whether the account has tokens elsewhere that are unknown here. */
  shared: boolean;
}

/** After so many revocations what uses tokens is asked for anew. */
const BATCH = 20;
/** How long one look goes on revoking, in milliseconds: the rest is for the next, at once. Liveness allows no work that never ends. */
const LONGEST_LOOK = 120_000;
/** Ids named in an event; the log has all of them. */
const MAX_NAMED = 10;
const NONE: Suspects = new Map();

/**
 * Compares the list of one account and region with what the cluster knows. Tokens with this cluster's tag that nothing uses are
 * revoked once they have been seen so for long enough, those that are unknown here are reported, and those that statuses name
 * and the list lacks are told of. Whatever fails leaves what is known as it was.
 */
export class RegionSweep {
  readonly #options: RegionSweepOptions;
  readonly #region: string;
  /** When the last list was asked for, on the monotonic clock. */
  #askedAt = -Infinity;
  #orphans = NONE;
  #identities = NONE;
  #unknown = NONE;
  #absent = NONE;
  #reported: readonly UnknownToken[] = [];
  /** Milliseconds that the registry's lists can lag. */
  #listLag = 0;
  /** Orphans that the registry refused to revoke. */
  #refused = new Set<string>();
  /** Those told of already. */
  #told = new Set<string>();

  constructor(options: RegionSweepOptions, region: string) {
    this.#options = options;
    this.#region = region;
  }

  /** Tokens that nothing used when last looked. */
  get orphans(): number {
    return this.#orphans.size;
  }

  /** Whether nothing was left to be revoked or deleted when last looked. */
  get isClean(): boolean {
    return this.#orphans.size + this.#unknown.size + this.#identities.size === 0;
  }

  /** Tokens that are unknown here, and surely not for want of having looked twice. */
  get unknown(): readonly UnknownToken[] {
    return this.#reported;
  }

  /** Whether the last list had tokens that may be another cluster's with this one's ids. */
  get isShared(): boolean {
    return this.#unknown.size > 0;
  }

  /**
   * When something can be certain that was not at the last look, on the monotonic clock: in the past where that look took its time.
   * undefined: there is nothing to wait for.
   */
  get nextCertain(): number | undefined {
    const { sweepDelay } = this.#options;
    const times = [
      nextCertain(this.#orphans, this.#askedAt, sweepDelay),
      nextCertain(this.#identities, this.#askedAt, sweepDelay),
      nextCertain(this.#unknown, this.#askedAt, sweepDelay),
      nextCertain(this.#absent, this.#askedAt, this.#absenceDelay),
    ].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  get #where(): string {
    return this.#region === '' ? '' : ` in ${this.#region}`;
  }

  /** However short the delay is that was configured, no shorter than the registry says that its lists can lag. */
  get #absenceDelay(): number {
    return Math.max(Math.min(this.#options.sweepDelay, MAX_LIST_LAG), this.#listLag);
  }

  /**
   * Looks once.
   * @returns the registry's list, which of those that were to be gone are still there, and whether all is done that can be
   * @throws RegistryError when it has no complete list or does not revoke; KubeError when what uses tokens can't be found
   * out; LeadershipLost
   */
  async run(
    look: Look,
    signal: AbortSignal,
  ): Promise<{ list: TokenList; stillThere: string[]; done: boolean }> {
    const { allTokens, lists, clock, clusterId, sweep, sweepDelay, skew, logger } = this.#options;
    const { account, gone, registry } = look;
    this.#listLag = registry.capabilities.settling.listing;
    const issued = { account: account.metadata.name, region: this.#region, place: look.place };
    const recorded = recordedAt(allTokens(), issued);
    const list = await lists.whole(issued, signal);
    const { askedAt } = list;
    this.#askedAt = askedAt;
    const now = clock.now() + skew(issued.account, issued.region);
    for (const [scope, { message }] of list.unread)
      logger.warn({ account: issued.account, region: this.#region, scope }, `not swept: ${message}`);
    const shown = recorded.filter(({ scope }) => !list.unread.has(listOf(scope)));
    this.#tellGone(confirm(findAbsent(shown, list.tokens, now), this.#absent, askedAt, this.#absenceDelay));
    // Asked for after the list: what was minted and recorded before it is then known.
    const users = await this.#users(gone, signal);
    const unused = findUnused(list.tokens.values(), users, clusterId, now);
    const orphans = confirm(unused.orphans, this.#orphans, askedAt, sweepDelay);
    const unknown = confirm(unused.unknown, this.#unknown, askedAt, sweepDelay);
    const alive = [...list.tokens.values()].filter(({ expiresAt }) => (expiresAt ?? Infinity) > now);
    const left = findUnusedIdentities(list.identities, alive, users, clusterId);
    const identities = confirm(left, this.#identities, askedAt, sweepDelay);
    this.#orphans = orphans.suspects;
    this.#identities = identities.suspects;
    this.#unknown = unknown.suspects;
    this.#told = new Set([...this.#told].filter((id) => this.#orphans.has(id) || this.#unknown.has(id)));
    this.#reportUnknown(account, unknown.certain);
    if (sweep === 'report') this.#report(account, orphans.certain);
    const shared = look.shared || this.isShared;
    const revocable = orphans.certain.filter((orphan) => mayRevoke(orphan, shared));
    const stillThere = [...gone].filter((uid) => users.inHand.has(uid));
    if (sweep === 'report') return { list, stillThere, done: true };
    const until = clock.monotonic() + LONGEST_LOOK;
    let done = await this.#revokeAll(look, revocable, until, signal);
    if (done) await this.#deleteExpired(look, unused.expired, until, signal);
    // In another cluster with this one's ids, what a RegistryToken's tokens hang on can be in use.
    if (done && !shared) done = await this.#deleteIdentities(look, identities.certain, alive, until, signal);
    return { list, stillThere, done };
  }

  /** A watch can lag. That does no harm where nothing points to an unused token; else the API server is asked. */
  async #users(gone: ReadonlySet<string>, signal: AbortSignal): Promise<Users> {
    const { users } = this.#options;
    const suspicious = gone.size > 0 || !this.isClean;
    return suspicious ? users.live(gone, signal) : users.watched();
  }

  #tellGone({ suspects, certain }: { suspects: Suspects; certain: RecordedToken[] }): void {
    this.#absent = suspects;
    for (const token of certain) this.#options.onGone(token);
  }

  /**
   * Those that the registry refused to revoke before come last: they hold up no others.
   * @returns whether time was left for all of the others
   */
  async #revokeAll(
    look: Look,
    certain: readonly Orphan[],
    until: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { clock } = this.#options;
    this.#refused = new Set(certain.flatMap(({ id }) => (this.#refused.has(id) ? [id] : [])));
    const before = new Set(this.#refused);
    const orphans = certain.toSorted((a, b) => Number(before.has(a.id)) - Number(before.has(b.id)));
    for (let done = 0; done < orphans.length; done += BATCH) {
      const users = await this.#options.users.live(look.gone, signal);
      for (const orphan of orphans.slice(done, done + BATCH)) {
        if (clock.monotonic() >= until) return before.has(orphan.id);
        if (standingOf(orphan, users) === orphan.origin) await this.#revoke(look, orphan, signal);
        else this.#clear(orphan);
      }
    }
    return true;
  }

  async #revoke({ account, registry }: Look, orphan: Orphan, signal: AbortSignal): Promise<void> {
    const { metrics, logger, events } = this.#options;
    try {
      await registry.revoke?.(orphan.id, signal);
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      metrics.revoked('failure');
      if (!error.isRefusal) throw error;
      this.#refused.add(orphan.id);
      logger.warn(this.#fields(account, orphan), `orphan token not revoked: ${error.message}`);
      return;
    }
    this.#clear(orphan);
    metrics.revoked('success');
    logger.info(this.#fields(account, orphan), 'orphan token revoked');
    const { id, tag } = orphan;
    const note = `token ${id}${this.#where} revoked: nothing in the cluster used it (revision ${tag.revision} of RegistryToken uid ${tag.uid})`;
    events.event(account, 'Normal', 'OrphanRevoked', note);
  }

  /** They are dead, so nobody is told, and what time does not allow is for the next look. */
  async #deleteExpired(
    { account, registry }: Look,
    expired: readonly UnknownToken[],
    until: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, logger } = this.#options;
    for (const token of expired) {
      if (clock.monotonic() >= until) return;
      try {
        await registry.revoke?.(token.id, signal);
      } catch (error) {
        if (!(error instanceof RegistryError && error.isRefusal)) throw error;
        logger.debug(this.#fields(account, token), `expired token not deleted: ${error.message}`);
        continue;
      }
      logger.debug(this.#fields(account, token), 'expired token deleted');
    }
  }

  /** Those that nothing hangs on by now either. @returns whether time was left for all of them */
  async #deleteIdentities(
    look: Look,
    certain: readonly Identity[],
    tokens: readonly TaggedToken[],
    until: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { users, clusterId, clock } = this.#options;
    for (let done = 0; done < certain.length; done += BATCH) {
      const live = await users.live(look.gone, signal);
      const batch = certain.slice(done, done + BATCH);
      for (const identity of findUnusedIdentities(batch, tokens, live, clusterId)) {
        if (clock.monotonic() >= until) return false;
        await this.#deleteIdentity(look, identity, signal);
      }
    }
    return true;
  }

  /** One that the registry does not let go, such as one that a token hangs on by now, is left for later looks. */
  async #deleteIdentity(
    { account, registry }: Look,
    { id, uid }: Identity,
    signal: AbortSignal,
  ): Promise<void> {
    const { logger } = this.#options;
    const fields = { account: account.metadata.name, region: this.#region, id, uid };
    try {
      await registry.revoke?.(id, signal);
    } catch (error) {
      if (!(error instanceof RegistryError && (error.isRefusal || error.code === 'Conflict'))) throw error;
      logger.warn(fields, `what tokens of a RegistryToken hung on is not deleted: ${error.message}`);
      return;
    }
    this.#identities = new Map([...this.#identities].filter(([each]) => each !== id));
    logger.info(fields, 'deleted what tokens of a RegistryToken hung on');
  }

  #report(account: RegistryAccount, certain: readonly Orphan[]): void {
    const { logger, events } = this.#options;
    const untold = this.#untold(certain);
    for (const orphan of untold)
      logger.warn(this.#fields(account, orphan), 'orphan token found; --sweep=report leaves it alone');
    const what = 'nothing in the cluster uses them; --sweep=report leaves them alone';
    if (untold.length === 0) return;
    const note = this.#noteOn(untold, what);
    events.event(account, 'Warning', 'OrphanFound', note, note);
  }

  #reportUnknown(account: RegistryAccount, certain: readonly UnknownToken[]): void {
    const { logger, clusterId, events } = this.#options;
    if (this.#reported.length > 0 && certain.length === 0) {
      const note = `no token${this.#where} is left that carries this cluster id (${clusterId}) and was not issued here`;
      events.event(account, 'Normal', 'Recovered', note);
    }
    this.#reported = certain;
    const untold = this.#untold(certain);
    for (const token of untold)
      logger.warn(
        this.#fields(account, token),
        'token found that carries this cluster id and was not issued here',
      );
    const what = `they carry this cluster id (${clusterId}), but their RegistryTokens here did not ask for them: another cluster seems to use the same cluster id; they are not revoked`;
    if (untold.length === 0) return;
    const note = this.#noteOn(untold, what);
    events.event(account, 'Warning', 'ClusterIdConflict', note, note);
  }

  /** One note for all that a look found: of one event for each, an account with many would get a few and lose the rest. */
  #noteOn(tokens: readonly UnknownToken[], what: string): string {
    const ids = tokens.map(({ id }) => id);
    // The ids last: where the note is too long, it is they that are cut.
    return `tokens${this.#where}: ${ids.length}; ${what}: ${firstOf(ids, MAX_NAMED)}`;
  }

  /** Each is told of once. */
  #untold<T extends { id: string }>(tokens: readonly T[]): T[] {
    const untold = tokens.filter(({ id }) => !this.#told.has(id));
    for (const { id } of untold) this.#told.add(id);
    return untold;
  }

  #clear({ id }: Orphan): void {
    this.#orphans = new Map([...this.#orphans].filter(([suspect]) => suspect !== id));
  }

  #fields({ metadata }: RegistryAccount, { id, tag }: UnknownToken): object {
    return { account: metadata.name, region: this.#region, id, uid: tag.uid, revision: tag.revision };
  }
}
