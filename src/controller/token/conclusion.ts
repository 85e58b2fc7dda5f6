import { ROTATE_ANNOTATION } from '../../api/names.ts';
import type { RegistryToken, RegistryTokenStatus, TokenSpec } from '../../api/registry-token.ts';
import { toTime } from '../../api/syntax/time.ts';
import type { Clock } from '../../common/clock.ts';
import { objectKey } from '../../kube/client/object-key.ts';
import type { ReconcileResult } from '../../kube/queue/worker-pool.ts';
import type { Wanted } from '../../token/decide/eligibility.ts';
import { lockedMessage } from '../../token/decide/holds.ts';
import { unknownAnnotations } from '../../token/decide/rotate-now.ts';
import { wasGood } from '../../token/decide/situation.ts';
import type { Moment } from '../../token/lifecycle/clock-skew.ts';
import { conditionsOf } from '../../token/lifecycle/conditions.ts';
import { nextLook } from '../../token/lifecycle/next-look.ts';
import { pendingMessage } from '../../token/lifecycle/pending-host.ts';
import { includesToken, type TokenKey } from '../../token/lifecycle/place.ts';
import { withGrace } from '../../token/lifecycle/previous-tokens.ts';
import { rotationTime } from '../../token/lifecycle/schedule.ts';
import { withPods, type PodCounts } from '../../token/workloads/pod-counts.ts';
import { recordedServiceAccounts } from '../../token/workloads/service-accounts.ts';
import type { AccountSessions } from '../account/account-sessions.ts';
import type { ServiceAccountLinker } from '../service-accounts/service-account-linker.ts';
import type { OutageWaiters } from '../shared/outage-waiters.ts';
import type { Assessment } from './assessor.ts';
import { NONE_LEFT, type FormerSecrets, type LeftSecrets } from './former-secrets.ts';
import type { Progress } from './progress.ts';
import type { Revoker } from './revoker.ts';
import type { StatusWriter } from './status-writer.ts';

/** Milliseconds to the look at what was asked for during an earlier mint. */
const AFTERTHOUGHT = 1_000;

export interface ConclusionOptions {
  sessions: Pick<AccountSessions, 'moment'>;
  revoker: Pick<Revoker, 'revokeDue'>;
  formerSecrets: Pick<FormerSecrets, 'remove' | 'held'>;
  linker: Pick<ServiceAccountLinker, 'problems' | 'holders'>;
  statuses: Pick<StatusWriter, 'write'>;
  waiters: Pick<OutageWaiters, 'lookAt' | 'leave'>;
  clock: Clock;
  /** Milliseconds for which a previous token stays valid, where the spec does not say. */
  defaultGracePeriod: number;
  /** Called when a RegistryToken's Secret has become good to pull with, after it was missing or dead. */
  onGood: (token: RegistryToken) => void;
  /** Pods that depend on a RegistryToken's Secret; undefined while they are not known, off where pods are not counted. */
  podCounts: (token: RegistryToken) => PodCounts | 'off' | undefined;
}

/** The end of a reconcile, whatever was done: what is no longer needed goes, the status says how things are, the next look is set. */
export class Conclusion {
  readonly #options: ConclusionOptions;

  constructor(options: ConclusionOptions) {
    this.#options = options;
  }

  /** Revokes what is due, writes the status if anything in it changed, and says when to come back. @throws KubeError */
  async conclude(assessment: Assessment, progress: Progress, signal: AbortSignal): Promise<ReconcileResult> {
    const { statuses, linker, onGood, podCounts } = this.#options;
    const { token, outcome, secretHolds } = progress;
    const { spec } = assessment;
    const wanted = assessment.refusal ? undefined : assessment.wanted;
    const { status: cleared, left, awaited } = await this.#clear(assessment, progress, signal);
    const scheduled = scheduledStatus(token, cleared, assessment);
    const linked = spec ? withServiceAccounts(token, scheduled, spec, linker) : scheduled;
    const status = withPods(linked, podCounts({ ...token, status: linked }));
    const updates = conditionsOf({
      status,
      spec,
      wanted,
      secretHolds,
      outcome,
      ...this.#moment(wanted),
      remarks: [...linker.problems(token), ...remarksOf(assessment, status)],
    });
    await statuses.write(token, status, updates, signal);
    const becameGood = assessment.refusal !== undefined || !wasGood(assessment.situation, progress.status);
    const isReady = updates.some(({ type, status: is }) => type === 'Ready' && is === 'True');
    if (isReady && becameGood) onGood(token);
    const previousTokens = status.previousTokens?.filter(awaited.isDue) ?? [];
    const until = soonest(this.#patience(progress, wanted), ...awaited.until);
    const look = nextLook(token, spec, { ...status, previousTokens }, outcome, until, this.#moment(wanted));
    const hasFinishedIntent =
      !assessment.refusal && assessment.decision.action === 'settle' && outcome.kind === 'done';
    // What was asked for while an earlier mint was open has not been looked at.
    const afterthought = hasFinishedIntent ? AFTERTHOUGHT : Infinity;
    const requeueAfter = Math.min(look ?? Infinity, left.lookAfter, afterthought);
    return requeueAfter === Infinity ? undefined : { requeueAfter };
  }

  /**
   * Deletes Secrets of former names, and revokes the tokens that are due.
   * @returns the status after it, and which of the previous tokens the next look is to be at, or what it waits for in their place
   */
  async #clear(
    assessment: Assessment,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<{
    status: RegistryTokenStatus;
    left: LeftSecrets;
    awaited: { isDue: (token: TokenKey) => boolean; until: readonly number[] };
  }> {
    const { revoker, formerSecrets, clock, defaultGracePeriod } = this.#options;
    const { token, status, outcome, secretHolds } = progress;
    const { spec } = assessment;
    const isSuspended = outcome.kind === 'held' && outcome.reason === 'Suspended';
    if (isSuspended) {
      const held = this.#stillHeld(assessment, progress, NONE_LEFT);
      return { status, left: NONE_LEFT, awaited: { isDue: ({ id }) => !held.has(id), until: [] } };
    }
    const left =
      secretHolds && spec ? await formerSecrets.remove(token, spec.secret.name, signal) : NONE_LEFT;
    const held = this.#stillHeld(assessment, progress, left);
    const grace = spec && (spec.rotation.gracePeriod ?? defaultGracePeriod);
    const shortened = grace === undefined ? status : withGrace(status, grace, clock.now());
    const { status: revoked, waiting } = await revoker.revokeDue(token, shortened, held, signal);
    const unasked = waiting.map((each) => each.token);
    const isDue = (each: TokenKey): boolean => !held.has(each.id) && !includesToken(unasked, each);
    return { status: revoked, left, awaited: { isDue, until: waiting.map(({ until }) => until) } };
  }

  /** Where it is not known which registry counts, this machine's clock does. */
  #moment(wanted: Wanted | undefined): Moment {
    const { sessions, clock } = this.#options;
    if (wanted) return sessions.moment(wanted);
    const now = clock.now();
    return { now, registryNow: now };
  }

  /** Until when a RegistryToken waits for what holds it back; for a place that is down until that answers. */
  #patience({ token, until, awaitsPlace }: Progress, wanted: Wanted | undefined): number | undefined {
    const { waiters, clock } = this.#options;
    const key = objectKey(token.metadata);
    if (awaitsPlace === true && wanted && until !== undefined)
      return waiters.lookAt(key, `${wanted.account}/${wanted.region}`, until, clock.now());
    waiters.leave(key);
    return until;
  }

  /**
   * Identifiers of tokens that a Secret holds although they are not in force: what a mint left there before a crash, when it is no longer
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

/** What the status says of ServiceAccounts is what lets the operator change them, and find again what it changed. */
function withServiceAccounts(
  token: RegistryToken,
  status: RegistryTokenStatus,
  spec: TokenSpec,
  linker: Pick<ServiceAccountLinker, 'holders'>,
): RegistryTokenStatus {
  const names = recordedServiceAccounts(token, spec, (entry) => linker.holders(token, entry));
  const { serviceAccounts: _, ...rest } = status;
  return names.length === 0 ? rest : { ...rest, serviceAccounts: names };
}
