import { ROTATE_ANNOTATION } from '../../api/names.ts';
import type { RegistryToken, RegistryTokenStatus, TokenSpec } from '../../api/registry-token.ts';
import { toTime } from '../../api/syntax/time.ts';
import type { Clock } from '../../common/clock.ts';
import type { ObjectName } from '../../common/objects.ts';
import { KubeError } from '../../kube/client/errors.ts';
import { objectKey } from '../../kube/client/object-key.ts';
import type { ReconcileResult } from '../../kube/queue/worker-pool.ts';
import { lockedMessage } from '../../token/decide/holds.ts';
import { conditionsOf, type Outcome } from '../../token/lifecycle/conditions.ts';
import { decide } from '../../token/decide/decision.ts';
import { lacksFinalizer } from '../../token/lifecycle/deletion.ts';
import type { Wanted } from '../../token/decide/eligibility.ts';
import { nextLook } from '../../token/lifecycle/next-look.ts';
import { isRetryRequested, unknownAnnotations } from '../../token/decide/rotate-now.ts';
import { rotationTime } from '../../token/lifecycle/schedule.ts';
import { recordedServiceAccounts } from '../../token/workloads/service-accounts.ts';
import type { SecretView } from '../../token/secret/secret-view.ts';
import { isGood } from '../../token/decide/situation.ts';
import { pendingMessage, withoutPendingHost } from '../../token/lifecycle/pending-host.ts';
import * as steps from '../../token/lifecycle/status.ts';
import { stakeOf } from '../../token/decide/verification.ts';
import type { Assessment, Assessor, Sources } from './assessor.ts';
import { tellDead } from './dead-token.ts';
import { NONE_LEFT, type FormerSecrets, type LeftSecrets } from './former-secrets.ts';
import type { HostMover } from './host-mover.ts';
import type { Issuer } from './issuer.ts';
import type { Memory } from './memory.ts';
import { OutageWaiters } from '../shared/outage-waiters.ts';
import { holds, holdsLive, type Progress } from './progress.ts';
import type { Repairer } from './repairer.ts';
import type { Revoker } from './revoker.ts';
import type { SecretStore } from './secret-store.ts';
import type { ServiceAccountLinker } from '../service-accounts/service-account-linker.ts';
import type { StatusWriter } from './status-writer.ts';
import type { TokenClient } from './token-client.ts';
import type { TokenFinalizer } from './token-finalizer.ts';
import type { Verifier } from './verifier.ts';

/** How long a watch gets to tell that an object is gone, in milliseconds. */
const WATCH_DELAY = 5_000;

export interface TokenControllerOptions {
  sources: Sources;
  tokens: TokenClient;
  statuses: Pick<StatusWriter, 'write'>;
  secrets: SecretStore;
  formerSecrets: FormerSecrets;
  assessor: Assessor;
  issuer: Issuer;
  repairer: Repairer;
  mover: HostMover;
  revoker: Revoker;
  finalizer: TokenFinalizer;
  verifier: Pick<Verifier, 'recall'>;
  linker: Pick<ServiceAccountLinker, 'problems' | 'holds'>;
  /** Called when a RegistryToken's Secret has become good to pull with, after it was missing or dead. */
  onGood: (token: RegistryToken) => void;
  memory: Memory;
  clock: Clock;
  /** Milliseconds for which a previous token stays valid, where the spec does not say. */
  defaultGracePeriod: number;
  /** How far the clock of an account's region is ahead, in milliseconds; 0 where that is not known. */
  skew: (account: string, region: string) => number;
  /** Lets the next request to a place through, though it is taken to be down. */
  tryNow: (account: string, region: string) => void;
  /** Has an account's credentials tried now. */
  tryAccount: (account: string) => void;
  /** Has a RegistryToken looked at, by key, when there is time. */
  enqueue: (key: string) => void;
}

/** However surely somebody is to be woken, it looks for itself after so many milliseconds. */
const MAX_UNWATCHED = 300_000;
/** Milliseconds to the look at what was asked for during an earlier mint. */
const AFTERTHOUGHT = 1_000;

/**
 * Keeps one RegistryToken as its spec says. Observes the RegistryToken, its account, its namespace and its Secret; writes
 * the Secret, the finalizer and, once at the end, the status. What to do is decided in token/; this carries it out.
 */
export class TokenController {
  readonly #options: TokenControllerOptions;
  /** uid by name, so that what is remembered of an object can be dropped when only its name is left. */
  readonly #uids = new Map<string, string>();
  readonly #waiters: OutageWaiters;

  constructor(options: TokenControllerOptions) {
    this.#options = options;
    this.#waiters = new OutageWaiters(options.enqueue);
  }

  /** @throws KubeError when the API server does not let it finish; to be tried again with backoff */
  async reconcile(name: ObjectName, signal: AbortSignal): Promise<ReconcileResult> {
    const { sources, tokens, finalizer } = this.#options;
    const cached = sources.token(name);
    this.#keepTrack(name, cached?.metadata.uid);
    if (cached?.metadata.deletionTimestamp !== undefined || !cached) this.#waiters.leave(objectKey(name));
    if (!cached) return undefined;
    const token = tokens.freshest(cached);
    try {
      if (token.metadata.deletionTimestamp !== undefined) return await finalizer.finalize(token, signal);
      return await this.#maintain(name, token, signal);
    } catch (error) {
      // Nothing holds a RegistryToken that has no finalizer: it can go at any moment, as with its namespace.
      if (!(error instanceof KubeError && error.isNotFound)) throw error;
      if (await tokens.read(name, signal)) throw error;
      return { requeueAfter: WATCH_DELAY };
    }
  }

  /** @throws KubeError */
  async #maintain(name: ObjectName, seen: RegistryToken, signal: AbortSignal): Promise<ReconcileResult> {
    const { tokens, assessor, finalizer } = this.#options;
    let token = seen;
    const unguarded = lacksFinalizer(token);
    let assessment = unguarded ? undefined : await assessor.assess(token, false, signal);
    // To the end of the line: all whose tokens are dead say so before the first of them gets another.
    if (assessment && (await tellDead(token, assessment, this.#options, signal))) return { requeueAfter: 0 };
    const owned = assessment && (await this.#ownAtFirst(token, assessment, signal));
    if (assessment && owned) token = owned;
    else if (!assessment || callsForAction(assessment)) {
      // Watches lag. Before anything is done, decide again from what is there now.
      const live = await tokens.read(name, signal);
      // The watch will tell; should it be silent, asking at once again would be a hot loop.
      if (!live) return { requeueAfter: WATCH_DELAY };
      if (live.metadata.deletionTimestamp !== undefined) return finalizer.finalize(live, signal);
      token = lacksFinalizer(live) ? await tokens.addFinalizer(live, signal) : live;
      assessment = await assessor.assess(token, true, signal);
    }
    this.#hurry(token, assessment);
    const progress = await this.#act(token, token.status ?? {}, assessment, signal);
    return this.#conclude(assessment, progress, signal);
  }

  /**
   * Adds the finalizer to a RegistryToken that is to get its first token, and whose Secret was just looked for and is not there. The
   * finalizer is written under the version that was decided by: where it is taken that version is the latest, and nothing has to be read again.
   * @returns the RegistryToken as stored now; undefined where this is another case, or a later version is there
   * @throws KubeError
   */
  async #ownAtFirst(
    token: RegistryToken,
    assessment: Assessment,
    signal: AbortSignal,
  ): Promise<RegistryToken | undefined> {
    if (assessment.refusal) return undefined;
    const { decision, secret } = assessment;
    // Whoever writes finalizers has to know those there are.
    const isFirst = decision.action === 'mint' && (token.metadata.finalizers ?? []).length === 0;
    if (!isFirst || secret.state !== 'absent') return undefined;
    try {
      return await this.#options.tokens.addFinalizer(token, signal);
    } catch (error) {
      if (error instanceof KubeError && error.isConflict) return undefined;
      throw error;
    }
  }

  /** What people ask for now does not wait for the time at which its place, or its account, would be tried anyhow. */
  #hurry(token: RegistryToken, assessment: Assessment): void {
    if (assessment.refusal || !isRetryRequested(token)) return;
    const { decision, wanted } = assessment;
    if (decision.action === 'mint') this.#options.tryNow(wanted.account, wanted.region);
    if (decision.action === 'settle') this.#options.tryNow(decision.intent.account, decision.intent.region);
    if (decision.action === 'hold' && decision.reason === 'AccountNotReady')
      this.#options.tryAccount(wanted.account);
  }

  #keepTrack(name: ObjectName, uid: string | undefined): void {
    const { memory, secrets, tokens } = this.#options;
    const key = objectKey(name);
    const before = this.#uids.get(key);
    if (before !== undefined && before !== uid) {
      for (const store of [memory, secrets, tokens]) store.forget(before);
      this.#uids.delete(key);
    }
    if (uid !== undefined) this.#uids.set(key, uid);
  }

  /** @param status as stored, or as this reconcile has changed it */
  async #act(
    token: RegistryToken,
    status: RegistryTokenStatus,
    assessment: Assessment,
    signal: AbortSignal,
  ): Promise<Progress> {
    if (assessment.refusal) {
      const { refusal } = assessment;
      return { token, status, outcome: { kind: 'refused', refusal }, secretHolds: false };
    }
    const { decision, spec, wanted, secret, situation } = assessment;
    const { tokenIsGone } = situation;
    const task = { token, status, spec, wanted, secret, tokenIsGone, stake: stakeOf(situation) };
    const secretHolds = holdsLive(task, status);
    switch (decision.action) {
      case 'mint':
        return this.#options.issuer.issue(task, decision, signal);
      case 'settle': {
        this.#options.verifier.recall(token.metadata.uid, decision.intent);
        const settled = await this.#options.issuer.settle(task, decision, signal);
        return 'lost' in settled ? this.#startAfresh(assessment, settled.lost, signal) : settled;
      }
      case 'write': {
        const progress = await this.#options.repairer.repair(task, decision, signal);
        if (progress !== 'token is gone') return progress;
        return this.#act(token, status, await this.#options.assessor.assess(token, true, signal), signal);
      }
      case 'move': {
        const progress = await this.#options.mover.move(task, signal);
        if (progress !== 'token is gone') return progress;
        return this.#act(token, status, await this.#options.assessor.assess(token, true, signal), signal);
      }
      case 'hold': {
        const { reason, message, until, awaitsPlace = false } = decision;
        const outcome: Outcome = { kind: 'held', reason, message };
        return { token, status: withHost(status, assessment), outcome, secretHolds, until, awaitsPlace };
      }
      case 'rest':
        return {
          token,
          status: steps.withoutFailure(withHost(withSecretRef(status, secret, spec), assessment)),
          outcome: { kind: 'done' },
          secretHolds,
        };
    }
  }

  /**
   * Goes on after a mint that left no token. Its intent stays in the status until another takes its place, or until it is
   * certain that none will.
   */
  #startAfresh(
    assessment: Extract<Assessment, { refusal?: undefined }>,
    status: RegistryTokenStatus,
    signal: AbortSignal,
  ): Promise<Progress> {
    const { situation } = assessment;
    const settled = steps.withLostIntent(status);
    const decision = decide({ ...situation, token: { ...situation.token, status: settled } });
    const next = decision.action === 'mint' || decision.action === 'hold' ? status : settled;
    return this.#act(situation.token, next, { ...assessment, decision }, signal);
  }

  /** Revokes what is due, writes the status if anything in it changed, and says when to come back. */
  async #conclude(assessment: Assessment, progress: Progress, signal: AbortSignal): Promise<ReconcileResult> {
    const { revoker, clock, statuses, formerSecrets, linker, onGood } = this.#options;
    const { token, outcome, secretHolds } = progress;
    const { spec } = assessment;
    const wanted = assessment.refusal ? undefined : assessment.wanted;
    const suspended = outcome.kind === 'held' && outcome.reason === 'Suspended';
    const left =
      secretHolds && spec && !suspended
        ? await formerSecrets.remove(token, spec.secret.name, signal)
        : NONE_LEFT;
    const held = this.#stillHeld(assessment, progress, left);
    const { status: revoked, waiting } = suspended
      ? { status: progress.status, waiting: new Map<string, number>() }
      : await revoker.revokeDue(token, this.#withGrace(progress.status, spec), held, signal);
    const scheduled = scheduledStatus(token, revoked, assessment);
    const status = spec ? withServiceAccounts(token, scheduled, spec, linker) : scheduled;
    const now = clock.now();
    const skew = wanted ? this.#options.skew(wanted.account, wanted.region) : 0;
    const updates = conditionsOf({
      status,
      spec,
      wanted,
      secretHolds,
      outcome,
      now,
      skew,
      remarks: [...linker.problems(token), ...remarksOf(assessment, status)],
    });
    await statuses.write(token, status, updates, signal);
    const wasGood = !assessment.refusal && isGood(assessment.situation);
    const isReady = updates.some(({ type, status: is }) => type === 'Ready' && is === 'True');
    if (isReady && !wasGood) onGood(token);
    const due = status.previousTokens?.filter(({ id }) => !held.has(id) && !waiting.has(id)) ?? [];
    const awaited = { ...status, previousTokens: due };
    const until = soonest(this.#patience(progress, wanted), ...waiting.values());
    const look = nextLook(token, spec, awaited, outcome, until, clock.now(), skew) ?? Infinity;
    const requeueAfter = Math.min(
      look,
      left.lookAfter,
      hasFinishedIntent(assessment, outcome) ? AFTERTHOUGHT : Infinity,
    );
    return requeueAfter === Infinity ? undefined : { requeueAfter };
  }

  /** Until when a RegistryToken waits for what holds it back; for a place that is down until that answers, save for one that tries it. */
  #patience({ token, until, awaitsPlace }: Progress, wanted: Wanted | undefined): number | undefined {
    const key = objectKey(token.metadata);
    if (awaitsPlace !== true || !wanted || until === undefined) {
      this.#waiters.leave(key);
      return until;
    }
    const tries = this.#waiters.wait(key, `${wanted.account}/${wanted.region}`);
    return tries ? until : Math.max(until, this.#options.clock.now() + MAX_UNWATCHED);
  }

  #withGrace(status: RegistryTokenStatus, spec: TokenSpec | undefined): RegistryTokenStatus {
    const { clock, defaultGracePeriod } = this.#options;
    return spec
      ? steps.withGrace(status, spec.rotation.gracePeriod ?? defaultGracePeriod, clock.now())
      : status;
  }

  /**
   * Tokens that a Secret holds although they are not in force: what a mint left there before a crash, when it is no longer
   * wanted and nothing has taken its place yet. Once the Secret holds the token in force, only those of Secrets of former names that
   * stay for now.
   */
  #stillHeld(
    assessment: Assessment,
    { token, secretHolds }: Progress,
    left: LeftSecrets,
  ): ReadonlySet<string> {
    if (secretHolds) return new Set(left.held);
    const seen =
      assessment.refusal || assessment.secret.state !== 'ours' ? undefined : assessment.secret.holds;
    return new Set([...this.#options.formerSecrets.held(token), ...(seen === undefined ? [] : [seen])]);
  }
}

function soonest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** What will stand in the way of the next rotation. */
function remarksOf(assessment: Assessment, { pendingHost }: RegistryTokenStatus): string[] {
  if (assessment.refusal) return [];
  const { secret, spec } = assessment;
  const locked = secret.state === 'ours' && secret.locked ? [lockedMessage(spec.secret.name)] : [];
  const unknown = unknownAnnotations(assessment.situation.token).map(
    (key) => `annotation ${key} means nothing; ${ROTATE_ANNOTATION} asks for a rotation`,
  );
  return [...(pendingHost ? [pendingMessage(pendingHost)] : []), ...locked, ...unknown];
}

/** What was asked for while an earlier mint was open has not been looked at. */
function hasFinishedIntent(assessment: Assessment, outcome: Outcome): boolean {
  return !assessment.refusal && assessment.decision.action === 'settle' && outcome.kind === 'done';
}

function callsForAction(assessment: Assessment): boolean {
  return !assessment.refusal && !['hold', 'rest'].includes(assessment.decision.action);
}

/** What the status says of the schedule. */
function scheduledStatus(
  { metadata }: RegistryToken,
  status: RegistryTokenStatus,
  assessment: Assessment,
): RegistryTokenStatus {
  const { nextRotationTime: _, ...rest } = status;
  if (assessment.refusal) return rest;
  const { spec } = assessment;
  const rotation =
    rest.token && !spec.suspend ? rotationTime(rest.token, spec.rotation, metadata.uid) : undefined;
  return {
    ...rest,
    ...(rotation === undefined ? {} : { nextRotationTime: toTime(rotation) }),
  };
}

/**
 * The host that a Secret has is in force, also where a crash came between it and the status; one that is in force is not waited
 * for.
 */
function withHost(status: RegistryTokenStatus, assessment: Assessment): RegistryTokenStatus {
  if (assessment.refusal) return status;
  const { secret, wanted } = assessment;
  const found = secret.state === 'ours' && holds(secret, status) ? secret.host : undefined;
  const next = found === undefined ? status : { ...status, host: found };
  const waits = next.pendingHost?.host === wanted.host && next.host !== wanted.host;
  return waits ? next : withoutPendingHost(next);
}

/** A Secret that was written before a crash, or under another name, is named as it is. */
function withSecretRef(
  status: RegistryTokenStatus,
  secret: SecretView,
  spec: TokenSpec,
): RegistryTokenStatus {
  if (secret.state !== 'ours') return status;
  return { ...status, secretRef: { name: spec.secret.name, uid: secret.uid } };
}

/** What the status says of ServiceAccounts is what lets the operator change them, and find again what it changed. */
function withServiceAccounts(
  token: RegistryToken,
  status: RegistryTokenStatus,
  spec: TokenSpec,
  linker: TokenControllerOptions['linker'],
): RegistryTokenStatus {
  const names = recordedServiceAccounts(token, spec, (name) => linker.holds(token, name));
  const { serviceAccounts: _, ...rest } = status;
  return names.length === 0 ? rest : { ...rest, serviceAccounts: names };
}
