import type { MintIntent, PreviousToken, RegistryTokenStatus } from '../../api/registry-token.ts';
import { shorten } from '../../api/syntax/text.ts';
import { toTime } from '../../api/syntax/time.ts';
import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import type { EventRecorder } from '../../kube/events/event-recorder.ts';
import type { IssuedToken } from '../../registry/port.ts';
import { deadOnArrival } from '../../token/lifecycle/clock-skew.ts';
import { conditionsOf, type Outcome } from '../../token/lifecycle/conditions.ts';
import type { Decision } from '../../token/decide/decision.ts';
import type { Failure } from '../../token/lifecycle/failure.ts';
import { mintAllowance } from '../../token/decide/mint-budget.ts';
import { pendingMessage, withoutPendingHost, withPendingHost } from '../../token/lifecycle/pending-host.ts';
import { isSamePlace } from '../../token/lifecycle/place.ts';
import { rotateValue } from '../../token/decide/rotate-now.ts';
import { hostInForce } from '../../token/decide/situation.ts';
import * as steps from '../../token/lifecycle/status.ts';
import { newNonce } from '../../token/sweep/tag.ts';
import type { Waiting } from '../../token/decide/verification.ts';
import { failureOf } from '../shared/failures.ts';
import { idsOf } from '../shared/log-fields.ts';
import type { Memory } from './memory.ts';
import type { TokenMetrics } from '../shared/metrics.ts';
import type { Minter, Settlement } from './minter.ts';
import { done, failed, holdsLive, waitingForHost, type Progress, type Task } from './progress.ts';
import type { SecretWriter } from './secret-writer.ts';
import type { StatusWriter } from './status-writer.ts';
import type { TokenClient } from './token-client.ts';
import type { Verifier } from './verifier.ts';

export interface IssuerOptions {
  tokens: TokenClient;
  statuses: Pick<StatusWriter, 'write'>;
  secrets: SecretWriter;
  minter: Minter;
  verifier: Verifier;
  memory: Memory;
  events: EventRecorder;
  metrics: TokenMetrics;
  logger: Logger;
  clock: Clock;
  random: () => number;
  mintBudget: number;
  defaultGracePeriod: number;
  /** How far the clock of an account's region is ahead, in milliseconds; 0 where that is not known. */
  skew: (account: string, region: string) => number;
  /** Called when a registry refused an account's credentials. */
  onUnauthorized: (account: string) => void;
  /** Called when a request was given up of which nobody knows whether a token will come of it. */
  onLost: (request: Pick<MintIntent, 'account' | 'region' | 'place'>) => void;
}

/**
 * Gives a RegistryToken a new token: intent, mint, verification, Secret, status, in this order, so that a
 * crash between any two of them leaves enough behind to go on.
 */
export class Issuer {
  readonly #options: IssuerOptions;

  constructor(options: IssuerOptions) {
    this.#options = options;
  }

  /**
   * Begins and finishes a mint.
   * @throws KubeError when the intent can't be recorded (nothing has happened then), or the Secret can't be written for a
   * passing reason (the intent stays, and what it gave is remembered)
   */
  async mint(
    task: Task,
    decision: Extract<Decision, { action: 'mint' }>,
    signal: AbortSignal,
  ): Promise<Progress> {
    const { tokens, clock, random, logger, mintBudget, skew } = this.#options;
    const { wanted, spec } = task;
    logger.info({ ...idsOf(task.token), reason: decision.reason }, `issuing a token: ${decision.message}`);
    const owned = await tokens.addFinalizer(task.token, signal);
    const rotate = rotateValue(owned);
    let listed: number;
    try {
      const held = task.secret.state === 'ours' ? task.secret.holds : undefined;
      const isToAsk = steps.isOlderThanSecret(task.status, held);
      const where = { ...wanted, place: decision.place };
      listed = await this.#options.minter.highestRevision(owned.metadata.uid, where, isToAsk, signal);
    } catch (error) {
      return failed({ ...task, token: owned }, task.status, failureOf(error), this.#options);
    }
    const intent = {
      nonce: newNonce(random()),
      account: wanted.account,
      region: wanted.region,
      place: decision.place,
      access: spec.access,
      specHash: wanted.specHash,
      reason: decision.reason,
      ...(rotate === undefined ? {} : { rotate }),
      ...(wanted.accountRotation === '' ? {} : { accountRotation: wanted.accountRotation }),
    };
    const allowance = mintAllowance(decision.reason, mintBudget, task.status, spec);
    const intended = steps.withIntent(task.status, intent, allowance, clock.now(), listed);
    const first = intended.token === undefined;
    const token = await this.#options.statuses.write(
      owned,
      intended,
      conditionsOf({
        status: intended,
        spec,
        wanted,
        secretHolds: holdsLive(task, intended),
        outcome: { kind: 'held', reason: first ? 'Issuing' : 'Rotating', message: decision.message },
        now: clock.now(),
        skew: skew(wanted.account, wanted.region),
      }),
      signal,
    );
    const announced = token.status ?? intended;
    const progress = { ...task, token };
    let issued: IssuedToken;
    try {
      issued = await this.#options.minter.mint(token, spec, intended.mintIntent, signal);
    } catch (error) {
      return this.#mintFailed(progress, announced, error);
    }
    this.#options.metrics.minted(decision.reason);
    const ahead = skew(wanted.account, wanted.region);
    const dead = deadOnArrival(issued.expiresAt, clock.now(), ahead);
    if (dead) return this.#refused(progress, announced, intended.mintIntent, issued, dead);
    // In the registry's time, as its expiry is: between them lies the token's real life.
    const issuedAt = clock.now() + ahead;
    return this.#place(progress, announced, intended.mintIntent, issued, issuedAt, signal);
  }

  /**
   * Finds out what came of a recorded intent, and finishes it if it gave a token that is still wanted. Where its place is gone,
   * it is given up: the sweep revokes what may have come of it, should the place come back.
   * @returns `lost` with the status so far, when there is none: whether to begin another is to be decided afresh
   * @throws KubeError as `mint` does
   */
  async settle(
    task: Task,
    { intent, stranded }: Extract<Decision, { action: 'settle' }>,
    signal: AbortSignal,
  ): Promise<Progress | { lost: RegistryTokenStatus }> {
    const { minter, clock, logger } = this.#options;
    const { token, status, wanted } = task;
    let settlement: Settlement;
    try {
      settlement = await minter.settle(token, intent, stranded, signal);
    } catch (error) {
      return failed(task, status, failureOf(error), this.#options);
    }
    if (settlement.result === 'pending') {
      const { reason, message, until } = settlement;
      const secretHolds = holdsLive(task, status);
      return { token, status, outcome: { kind: 'held', reason, message }, secretHolds, until };
    }
    const { account, region, revision } = intent;
    const adopted =
      settlement.result === 'found' &&
      intent.specHash === wanted.specHash &&
      wanted.place !== undefined &&
      isSamePlace(intent.place, wanted.place) &&
      !deadOnArrival(settlement.issued.expiresAt, clock.now(), this.#options.skew(account, region));
    const unwanted = settlement.result === 'found' && !adopted ? [stray(intent, settlement.issued)] : [];
    const strays = [...settlement.strays, ...unwanted];
    const otherwise = stranded
      ? 'an earlier mint is given up: its account or region is gone'
      : 'an earlier mint left no token to use';
    logger.info(
      { ...idsOf(token), revision, account, region, strays: strays.length },
      adopted ? 'adopting a token created earlier' : otherwise,
    );
    const cleaned = steps.withStrays(status, strays, clock.now());
    if (settlement.result === 'lost') this.#options.onLost(intent);
    if (settlement.result === 'lost' || !adopted) return { lost: cleaned };
    const issuedAt = Date.parse(intent.startedAt) + this.#options.skew(account, region);
    return this.#place(task, cleaned, intent, settlement.issued, issuedAt, signal);
  }

  /** Tries a new token, puts it into the Secret if the registry accepts it, and records it. */
  async #place(
    task: Task,
    status: RegistryTokenStatus,
    intent: MintIntent,
    issued: IssuedToken,
    issuedAt: number,
    signal: AbortSignal,
  ): Promise<Progress> {
    const { spec, token, wanted, stake, secret } = task;
    const { verifier, memory, defaultGracePeriod, clock, events, logger } = this.#options;
    const { uid } = token.metadata;
    const ruling = await verifier.verify(uid, intent, issued, wanted.host, stake, signal);
    if (ruling.action === 'refuse') return this.#refused(task, status, intent, issued, ruling.failure);
    if (ruling.action === 'wait') return this.#waiting(task, status, ruling);
    const { doubt, keepsHost } = ruling;
    // The Secret can be ahead of the status, whose write may have failed.
    const held = secret.state === 'ours' ? secret.host : undefined;
    const host = keepsHost ? (held ?? hostInForce(status, wanted)) : wanted.host;
    const record = {
      id: issued.id,
      access: intent.access,
      issuedAt: toTime(issuedAt),
      ...expiryOf(issued),
      revision: intent.revision,
      specHash: intent.specHash,
      account: intent.account,
      region: intent.region,
      place: intent.place,
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
      { ...settled, secretRef: placed.secretRef, host, region: intent.region },
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
      `${intent.reason}: Secret ${spec.secret.name} holds ${record.access} token ${id} that ${expiry}`,
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
    if (refusal === undefined && task.stake !== 'adopted') {
      const pending = { host: wanted.host, refused: false, message: why };
      return waitingForHost(task, status, pending, until, this.#options.clock);
    }
    if (refusal === undefined) {
      const note = `${why}; let the operator reach the registry's host, or set spec.verify of the account to Never`;
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
   * A new token that is of no use: it is revoked, and its predecessor stays. The intent stays too, until another takes its
   * place, so that no two tokens ever share a revision.
   */
  #refused(
    task: Task,
    status: RegistryTokenStatus,
    intent: MintIntent,
    issued: IssuedToken,
    failure: Failure,
  ): Progress {
    const { memory, clock } = this.#options;
    memory.forgetIntent(task.token.metadata.uid);
    const discarded = steps.withPhase(status, 'Discarded');
    const next = steps.withStrays(discarded, [stray(intent, issued)], clock.now());
    return failed(task, next, failure, this.#options);
  }

  #mintFailed(task: Task, status: RegistryTokenStatus, error: unknown): Progress {
    const failure = failureOf(error);
    if (failure.reason === 'RegistryUnauthorized') this.#options.onUnauthorized(task.wanted.account);
    // Only a mint that surely did not happen gives its revision back.
    const uncertain = failure.reason === 'MintUnconfirmed';
    const next = uncertain ? steps.withPhase(status, 'Unconfirmed') : steps.withoutIntent(status);
    return failed(task, next, failure, this.#options);
  }
}

/** A token that came of a mint and is of no use. */
function stray(
  { revision, account, region, place }: MintIntent,
  issued: IssuedToken,
): Omit<PreviousToken, 'revokeAt'> {
  return { id: issued.id, revision, account, region, place, ...expiryOf(issued) };
}

const expiryOf = ({ expiresAt }: IssuedToken): { expiresAt?: string } =>
  expiresAt === null ? {} : { expiresAt: toTime(expiresAt) };
