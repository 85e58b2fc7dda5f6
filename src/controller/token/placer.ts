import type { MintIntent, PreviousToken, RegistryTokenStatus } from '../../api/registry-token.ts';
import { formatDuration } from '../../api/syntax/duration.ts';
import { shorten } from '../../api/syntax/text.ts';
import { fromTime, toTime } from '../../api/syntax/time.ts';
import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import type { EventRecorder } from '../../kube/events/event-recorder.ts';
import type { IssuedToken } from '../../registry/port.ts';
import type { Wanted } from '../../token/decide/eligibility.ts';
import { hostInForce } from '../../token/decide/situation.ts';
import type { Waiting } from '../../token/decide/verification.ts';
import type { Outcome } from '../../token/lifecycle/conditions.ts';
import { withTrueEnding, type IssueAt } from '../../token/lifecycle/ending.ts';
import type { Failure } from '../../token/lifecycle/failure.ts';
import { pendingMessage, withoutPendingHost, withPendingHost } from '../../token/lifecycle/pending-host.ts';
import * as steps from '../../token/lifecycle/status.ts';
import { idsOf } from '../shared/log-fields.ts';
import type { Memory } from './memory.ts';
import { strayOf } from './minter.ts';
import { done, failed, holdsLive, waitingForHost, type Progress, type Task } from './progress.ts';
import type { SecretStore } from './secret-store.ts';
import type { Verifier } from './verifier.ts';

export interface PlacerOptions {
  secrets: Pick<SecretStore, 'write'>;
  verifier: Verifier;
  memory: Memory;
  events: EventRecorder;
  logger: Logger;
  clock: Clock;
  random: () => number;
  defaultGracePeriod: number;
  issueAt: IssueAt;
}

/** Puts a new token into the Secret: tries it at the registry first, records it after. */
export class Placer {
  readonly #options: PlacerOptions;

  constructor(options: PlacerOptions) {
    this.#options = options;
  }

  /** Tries a new token, puts it into the Secret if the registry accepts it, and records it. */
  async place(
    task: Task,
    status: RegistryTokenStatus,
    intent: MintIntent,
    issued: IssuedToken,
    issuedAt: number,
    signal: AbortSignal,
  ): Promise<Progress> {
    const { spec, token, wanted, stake, secret } = task;
    const { verifier, memory, defaultGracePeriod, clock, events, logger, issueAt } = this.#options;
    const { uid } = token.metadata;
    const ruling = await verifier.verify(uid, intent, issued, wanted, stake, signal);
    if (ruling.action === 'refuse') return this.refuse(task, status, intent, issued, ruling.failure);
    if (ruling.action === 'wait') return this.#waiting(task, status, ruling);
    const { doubt, keepsHost } = ruling;
    const host = keepsHost ? hostHeld(task, status) : wanted.host;
    const record = {
      id: issued.id,
      access: intent.access,
      ...scopeField(intent.scope),
      ...lifetimeField(wanted),
      issuedAt: toTime(issuedAt),
      ...expiryOf(issued),
      revision: intent.revision,
      specHash: intent.specHash,
      account: intent.account,
      region: intent.region,
      place: intent.place,
      ...(wanted.issue === 'exchanged' && { revocable: false }),
      ...(doubt === undefined ? {} : { unverified: shorten(doubt, 1024) }),
    };
    const { id, username, value } = issued;
    // After a crash, or where only the status could not be written, the Secret is as it is to be.
    const placed =
      secret.state === 'ours' && secret.current && secret.holds === id && secret.host === host
        ? { secretRef: { name: spec.secret.name, uid: secret.uid } }
        : await this.#options.secrets.write(task, host, { tokenId: id, username, value }, signal);
    if ('failure' in placed)
      return failed({ ...task, secret: placed.secret }, status, placed.failure, this.#options);
    const grace = spec.rotation.gracePeriod ?? defaultGracePeriod;
    const first = status.token === undefined;
    const settled = keepsHost
      ? withPendingHost(status, { host: wanted.host, ...keepsHost }, clock.now())
      : withoutPendingHost(status);
    const next = steps.withToken(
      { ...withTrueEnding(settled, issueAt), secretRef: placed.secretRef, host, region: intent.region },
      record,
      intent.reason,
      grace,
      clock.now(),
    );
    const expiry = record.expiresAt === undefined ? 'never expires' : `expires at ${record.expiresAt}`;
    const { revision } = record;
    logger.info(
      { ...idsOf(token), reason: intent.reason, id, revision, expiresAt: record.expiresAt ?? 'never' },
      first ? 'token issued' : 'token rotated',
    );
    events.event(
      token,
      'Normal',
      first ? 'Issued' : 'Rotated',
      `${intent.reason}: Secret ${spec.secret.name} holds ${record.access} token ${id} that ${expiry}${remainder(status, clock.now())}`,
    );
    if (doubt !== undefined) {
      logger.warn({ ...idsOf(token), id }, `token not verified: ${doubt}`);
      events.event(
        token,
        'Warning',
        'Unverified',
        `whether the registry accepts token ${id} is not known: ${doubt}`,
      );
    }
    const { pendingHost } = next;
    if (!pendingHost) return done(token, next);
    // The host that the account names stays out of the Secret, and is tried again.
    const until = memory.noteHostTried(token.metadata.uid, pendingHost.host, clock.now());
    const message = pendingMessage(pendingHost);
    const outcome = { kind: 'held', reason: 'HostNotAccepted', message } as const;
    return { token, status: next, outcome, secretHolds: true, until };
  }

  /** A new token that the registry does not accept yet, or that is not known to be accepted where it has to be. */
  #waiting(task: Task, status: RegistryTokenStatus, ruling: Waiting): Progress {
    const { token, wanted } = task;
    const { refusal, until, message: why } = ruling;
    const isOtherHost = hostHeld(task, status) !== wanted.host;
    if (refusal === undefined && task.stake !== 'adopted' && isOtherHost) {
      const pending = { host: wanted.host, refused: false, message: why };
      return waitingForHost(task, status, pending, until, this.#options.clock);
    }
    if (refusal === undefined) {
      const note =
        task.stake === 'adopted'
          ? `${why}; let the operator reach the registry's host, or set spec.verify of the account to Never`
          : `the token in the Secret stays until the registry is known to accept the new one: ${why}; let the operator reach the registry's host`;
      const held: Outcome = { kind: 'held', reason: 'RegistryUnavailable', message: note };
      return { token, status, outcome: held, secretHolds: holdsLive(task, status), until };
    }
    const message = `the registry does not accept the new token yet: ${why}; will retry`;
    this.#options.logger.info(idsOf(token), message);
    const outcome: Outcome = { kind: 'held', reason: 'Verifying', message };
    const next = steps.withPhase(status, 'Verifying');
    return { token, status: next, outcome, secretHolds: holdsLive(task, next), until };
  }

  /**
   * A new token that is of no use: it is revoked, where tokens can be, and the one in force stays. The intent stays too, until
   * another takes its place, so that no two tokens ever share a revision.
   */
  refuse(
    task: Task,
    status: RegistryTokenStatus,
    intent: MintIntent,
    issued: IssuedToken,
    failure: Failure,
  ): Progress {
    const { memory, clock } = this.#options;
    memory.forgetIntent(task.token.metadata.uid);
    const discarded = steps.withPhase(status, 'Discarded');
    const strays = task.wanted.issue === 'minted' ? [stray(intent, issued)] : [];
    const next = steps.withStrays(discarded, strays, clock.now());
    return failed(task, next, failure, this.#options);
  }
}

/** The host that the Secret has. It can be ahead of the status, whose write may have failed. */
function hostHeld({ secret, wanted }: Task, status: RegistryTokenStatus): string {
  const held = secret.state === 'ours' ? secret.host : undefined;
  return held ?? hostInForce(status, wanted);
}

/** What is left of the token before, where nobody can revoke it. */
function remainder({ token }: RegistryTokenStatus, now: number): string {
  if (token?.revocable !== false || (fromTime(token.expiresAt) ?? 0) <= now) return '';
  return `; the registry can't revoke the one before, which ends at ${token.expiresAt}`;
}

/** A token that came of a mint and is of no use. */
export function stray(intent: MintIntent, issued: IssuedToken): Omit<PreviousToken, 'revokeAt'> {
  return { ...strayOf(intent, issued.id), ...expiryOf(issued) };
}

/** How long a token is to be in use, where the registry lets it live longer. */
function lifetimeField({ lifetime, given }: Wanted): { lifetime?: string } {
  return lifetime === 'Never' || lifetime === given ? {} : { lifetime: formatDuration(lifetime) };
}

export function scopeField(scope: readonly string[] = []): { scope?: string[] } {
  return scope.length === 0 ? {} : { scope: [...scope] };
}

const expiryOf = ({ expiresAt }: IssuedToken): { expiresAt?: string } =>
  expiresAt === null ? {} : { expiresAt: toTime(expiresAt) };
