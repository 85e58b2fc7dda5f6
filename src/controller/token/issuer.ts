import type { MintIntent, RegistryTokenStatus } from '../../api/registry-token.ts';
import { fromTime, toTime } from '../../api/syntax/time.ts';
import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import type { EventRecorder } from '../../kube/events/event-recorder.ts';
import { RegistryError } from '../../registry/errors.ts';
import type { IssuedToken } from '../../registry/port.ts';
import type { Decision } from '../../token/decide/decision.ts';
import { mintAllowance } from '../../token/decide/mint-budget.ts';
import type { Use } from '../../token/decide/verification.ts';
import { deadOnArrival, registryTime } from '../../token/lifecycle/clock-skew.ts';
import { conditionsOf } from '../../token/lifecycle/conditions.ts';
import { withTrueEnding, type IssueAt } from '../../token/lifecycle/ending.ts';
import type { Failure } from '../../token/lifecycle/failure.ts';
import * as steps from '../../token/lifecycle/mint-steps.ts';
import { pendingMessage, withoutPendingHost, withPendingHost } from '../../token/lifecycle/pending-host.ts';
import { isSamePlace, isSameToken } from '../../token/lifecycle/place.ts';
import { withTokensInGrace } from '../../token/lifecycle/previous-tokens.ts';
import { describeIssued, recordOf, requestOf, strayOf } from '../../token/lifecycle/token-record.ts';
import { writtenSecret } from '../../token/secret/written-secret.ts';
import { newNonce } from '../../token/sweep/tag.ts';
import type { AccountSessions } from '../account/account-sessions.ts';
import { failureOf } from '../shared/failures.ts';
import { idsOf } from '../shared/log-fields.ts';
import type { TokenMetrics } from '../shared/metrics.ts';
import type { Memory } from './memory.ts';
import {
  done,
  failed,
  holdsLive,
  hostHeld,
  waitingForAcceptance,
  type Progress,
  type Task,
} from './progress.ts';
import type { SecretStore } from './secret-store.ts';
import type { StatusWriter } from './status-writer.ts';
import type { Settlement, TaggedTokens } from './tagged-tokens.ts';
import type { TokenClient } from './token-client.ts';
import type { Verifier } from './verifier.ts';

type MintDecision = Extract<Decision, { action: 'mint' }>;

export interface IssuerOptions {
  sessions: Pick<AccountSessions, 'moment' | 'reach'>;
  tokens: Pick<TokenClient, 'addFinalizer'>;
  statuses: Pick<StatusWriter, 'write'>;
  tagged: Pick<TaggedTokens, 'issue' | 'settle' | 'highestRevision'>;
  verifier: Pick<Verifier, 'recall' | 'verify'>;
  secrets: Pick<SecretStore, 'write'>;
  memory: Memory;
  events: Pick<EventRecorder, 'event'>;
  metrics: Pick<TokenMetrics, 'minted'>;
  logger: Logger;
  clock: Clock;
  random: () => number;
  mintBudget: number;
  /** Milliseconds for which a previous token stays valid, where the spec does not say. */
  defaultGracePeriod: number;
  issueAt: IssueAt;
  /** Called when a registry refused an account's credentials. */
  onUnauthorized: (account: string) => void;
  /** Called when a request is given up of which nobody knows whether a token will come of it. @throws KubeError: it is not given up */
  onLost: (
    request: Pick<MintIntent, 'account' | 'region' | 'place' | 'scope'>,
    signal: AbortSignal,
  ) => Promise<void>;
}

/** Milliseconds to the next exchange, where the last one was too short a time ago. */
const EXCHANGE_PAUSE = 60_000;

/**
 * Gives a RegistryToken a new token: intent, request, verification, Secret, status, in this order, so that a crash between any two
 * of them leaves enough behind to go on. A token that is exchanged ends by itself, and can be neither listed nor revoked: nothing
 * is recorded before the Secret has it, and after a crash the next look gets another.
 */
export class Issuer {
  readonly #options: IssuerOptions;

  constructor(options: IssuerOptions) {
    this.#options = options;
  }

  /**
   * Begins and finishes a request for a token.
   * @throws KubeError when the intent can't be recorded (nothing has happened then), or the Secret can't be written for a
   * passing reason (the intent stays, and what it gave is remembered)
   */
  async issue(task: Task, decision: MintDecision, signal: AbortSignal): Promise<Progress> {
    const { tokens, logger } = this.#options;
    const { reason, message } = decision;
    logger.info({ ...idsOf(task.token), reason }, `issuing a token: ${message}`);
    const owned = { ...task, token: await tokens.addFinalizer(task.token, signal) };
    return task.wanted.issue === 'exchanged'
      ? this.#exchange(owned, decision, signal)
      : this.#mint(owned, decision, signal);
  }

  async #exchange(task: Task, decision: MintDecision, signal: AbortSignal): Promise<Progress> {
    const { token, status, spec, wanted } = task;
    const revision = steps.nextRevision(status);
    const startedAt = toTime(this.#options.clock.now());
    const what = requestOf(token, spec, wanted, decision);
    const request: MintIntent = { revision, startedAt, phase: 'Announced', ...what };
    let issued: IssuedToken;
    try {
      issued = await this.#options.tagged.issue(token, request, spec.description, wanted.given, signal);
    } catch (error) {
      return failed(task, status, this.#failureOf(task, error), this.#options);
    }
    const inForce = status.token;
    if (inForce && isSameToken(inForce, { id: issued.id, place: request.place }))
      return this.#sameAgain(task, decision);
    return this.#use({ ...task, status: steps.withLostIntent(status) }, request, issued, signal);
  }

  async #mint(task: Task, decision: MintDecision, signal: AbortSignal): Promise<Progress> {
    const { sessions, tagged, statuses, clock, random, mintBudget } = this.#options;
    const { token, status, wanted, spec, secret } = task;
    const { place, reason, message } = decision;
    let listed: number;
    try {
      const isToAsk = steps.isOlderThanSecret(status, secret.state === 'ours' ? secret.holds : undefined);
      listed = await tagged.highestRevision(token.metadata.uid, { ...wanted, place }, isToAsk, signal);
    } catch (error) {
      return failed(task, status, failureOf(error), this.#options);
    }
    const request = { nonce: newNonce(random()), ...requestOf(token, spec, wanted, decision) };
    const rhythm = { lifetime: wanted.lifetime, rotation: spec.rotation };
    const allowance = mintAllowance(reason, mintBudget, status, rhythm);
    const intended = steps.withIntent(status, request, allowance, clock.now(), listed);
    const updates = conditionsOf({
      status: intended,
      spec,
      wanted,
      secretHolds: holdsLive(task, intended),
      outcome: { kind: 'held', reason: intended.token ? 'Rotating' : 'Issuing', message },
      ...sessions.moment(wanted),
    });
    const stored = await statuses.write(token, intended, updates, signal);
    const announced = { ...task, token: stored, status: stored.status ?? intended };
    let issued: IssuedToken;
    try {
      issued = await tagged.issue(stored, intended.mintIntent, spec.description, wanted.given, signal);
    } catch (error) {
      const failure = this.#failureOf(task, error);
      // Only a mint that surely did not happen gives its revision back.
      const isUncertain = failure.reason === 'MintUnconfirmed';
      const left = isUncertain ? steps.withPhase(announced.status, 'Unconfirmed') : undefined;
      return failed(announced, left ?? steps.withoutIntent(announced.status), failure, this.#options);
    }
    return this.#use(announced, intended.mintIntent, issued, signal);
  }

  /** Goes on with a token that the registry just gave. */
  #use(
    task: Task,
    intent: MintIntent,
    issued: IssuedToken,
    signal: AbortSignal,
  ): Promise<Progress> | Progress {
    const { metrics, sessions } = this.#options;
    metrics.minted(intent.reason);
    const moment = sessions.moment(intent);
    const dead = deadOnArrival(issued.expiresAt, moment);
    if (dead) return this.#refuse(task, intent, issued, dead);
    return this.#place(task, intent, issued, moment.registryNow, signal);
  }

  /**
   * Finds out what came of a recorded intent, and finishes it if it gave a token that is still wanted. Where its place is gone, or
   * the account may not look there and something else is wanted by now, it is given up: the sweep revokes what may have come of it,
   * should it find that.
   * @returns `lost` with the status so far, when there is none: whether to begin another is to be decided afresh
   * @throws KubeError as `issue` does
   */
  async settle(
    task: Task,
    { intent, stranded }: Extract<Decision, { action: 'settle' }>,
    signal: AbortSignal,
  ): Promise<Progress | { lost: RegistryTokenStatus }> {
    const { sessions, tagged, verifier, clock, logger, onLost } = this.#options;
    const { token, status, wanted } = task;
    verifier.recall(token.metadata.uid, intent);
    let settlement: Settlement;
    try {
      settlement = await tagged.settle(token, intent, stranded, signal);
    } catch (error) {
      // The account may not look there, as in a project that it may not see: what is wanted by now does not wait for that. Where
      // the account does not lead there, nobody asked the registry.
      const isRefused =
        error instanceof RegistryError && error.isRefusal && typeof sessions.reach(intent) === 'object';
      const isInVain = isRefused && intent.specHash !== wanted.specHash;
      if (!isInVain) return failed(task, status, failureOf(error), this.#options);
      const note = `an earlier request is given up: ${error.message}`;
      logger.warn({ ...idsOf(token), revision: intent.revision }, note);
      settlement = { result: 'lost', strays: [] };
    }
    if (settlement.result === 'pending') {
      const { reason, message, until } = settlement;
      const secretHolds = holdsLive(task, status);
      return { token, status, outcome: { kind: 'held', reason, message }, secretHolds, until };
    }
    const { account, region, revision } = intent;
    const moment = sessions.moment(intent);
    const adopted =
      settlement.result === 'found' &&
      intent.specHash === wanted.specHash &&
      wanted.place !== undefined &&
      isSamePlace(intent.place, wanted.place) &&
      !deadOnArrival(settlement.issued.expiresAt, moment);
    const unwanted =
      settlement.result === 'found' && !adopted ? [strayOf(intent, settlement.issued, moment)] : [];
    const strays = [...settlement.strays, ...unwanted];
    const otherwise = stranded
      ? 'an earlier mint is given up: its account or region is gone'
      : 'an earlier mint left no token to use';
    // A token that waits to be accepted is found again at each try.
    const isNews = !adopted || strays.length > 0 || intent.phase !== 'Verifying';
    logger[isNews ? 'info' : 'debug'](
      { ...idsOf(token), revision, account, region, strays: strays.length },
      adopted ? 'adopting a token created earlier' : otherwise,
    );
    const cleaned = steps.withStrays(status, strays, clock.now());
    if (settlement.result === 'lost') await onLost(intent, signal);
    if (settlement.result === 'lost' || !adopted) return { lost: cleaned };
    const issuedAt = registryTime(fromTime(intent.startedAt) ?? moment.now, moment);
    return this.#place({ ...task, status: cleaned }, intent, settlement.issued, issuedAt, signal);
  }

  /** Tries a new token, puts it into the Secret if the registry accepts it, and records it. @param issuedAt by the registry's clock */
  async #place(
    task: Task,
    intent: MintIntent,
    issued: IssuedToken,
    issuedAt: number,
    signal: AbortSignal,
  ): Promise<Progress> {
    const { verifier, secrets, memory, clock, defaultGracePeriod, issueAt } = this.#options;
    const { spec, token, status, wanted, stake, secret } = task;
    const { uid } = token.metadata;
    const ruling = await verifier.verify(uid, intent, issued, wanted, stake, signal);
    if (ruling.action === 'refuse') return this.#refuse(task, intent, issued, ruling.failure);
    if (ruling.action === 'wait') return waitingForAcceptance(task, ruling, clock);
    const { doubt, keepsHost } = ruling;
    const host = keepsHost ? hostHeld(task) : wanted.host;
    const { id, username, value } = issued;
    // After a crash, or where only the status could not be written, the Secret is as it is to be.
    const isPlaced = secret.state === 'ours' && secret.current && secret.holds === id && secret.host === host;
    const placed = isPlaced
      ? {
          secretRef: writtenSecret(
            { name: spec.secret.name, uid: secret.uid, resourceVersion: secret.version },
            secret,
            { token, spec, host, tokenId: id },
          ),
        }
      : await secrets.write(task, host, { tokenId: id, username, value }, signal);
    if ('failure' in placed)
      return failed({ ...task, secret: placed.secret }, status, placed.failure, this.#options);
    const settled = keepsHost
      ? withPendingHost(status, { host: wanted.host, ...keepsHost }, clock.now())
      : withoutPendingHost(status);
    const written = {
      ...withTrueEnding(settled, issueAt),
      secretRef: placed.secretRef,
      host,
      region: intent.region,
    };
    const record = recordOf(intent, issued, wanted, issuedAt, doubt);
    const grace = spec.rotation.gracePeriod ?? defaultGracePeriod;
    const next = steps.withToken(written, record, intent, grace, clock.now());
    this.#tell({ ...task, status: written }, intent, next, ruling);
    const { pendingHost } = next;
    if (!pendingHost) return done(token, next);
    // The host that the account names stays out of the Secret, and is tried again.
    const until = memory.noteHostTried(uid, pendingHost.host, clock.now());
    const message = pendingMessage(pendingHost);
    const outcome = { kind: 'held', reason: 'HostNotAccepted', message } as const;
    return { token, status: next, outcome, secretHolds: true, until };
  }

  /** Tells of a token that came into force. @param task with the status before it @param after the status that has it */
  #tell(
    { token, status: before, spec }: Task,
    { reason, revision }: MintIntent,
    { token: record }: RegistryTokenStatus,
    { doubt }: Use,
  ): void {
    const { logger, events, clock } = this.#options;
    if (!record) return;
    const { id, expiresAt } = record;
    const first = before.token === undefined;
    logger.info(
      { ...idsOf(token), reason, id, revision, expiresAt: expiresAt ?? 'never' },
      first ? 'token issued' : 'token rotated',
    );
    const note = `${reason}: Secret ${spec.secret.name} holds ${describeIssued(record, before.token, clock.now())}`;
    events.event(token, 'Normal', first ? 'Issued' : 'Rotated', note);
    if (doubt === undefined) return;
    logger.warn({ ...idsOf(token), id }, `token not verified: ${doubt}`);
    const unverified = `whether the registry accepts token ${id} is not known: ${doubt}`;
    events.event(token, 'Warning', 'Unverified', unverified);
  }

  /**
   * A new token that is of no use: it is revoked, where tokens can be, and the one in force stays. Its intent stays too, until
   * another takes its place, or its revision counts as used, so that no two tokens ever share one: by a higher one a registry that
   * shares tokens out knows that the RegistryToken wants another.
   */
  #refuse(task: Task, intent: MintIntent, issued: IssuedToken, failure: Failure): Progress {
    const { sessions, memory, clock } = this.#options;
    const { token, status, wanted } = task;
    memory.forgetIntent(token.metadata.uid);
    const discarded = steps.withPhase(status, 'Discarded');
    const next =
      wanted.issue === 'exchanged'
        ? steps.withUsedRevision(status, intent.revision)
        : steps.withStrays(discarded, [strayOf(intent, issued, sessions.moment(intent))], clock.now());
    return failed(task, next, failure, this.#options);
  }

  /** What was exchanged a moment ago is given to all who ask for the same. It is no answer to who asks for another. */
  #sameAgain(task: Task, { message: why }: MintDecision): Progress {
    const { token, status } = task;
    const until = this.#options.clock.now() + EXCHANGE_PAUSE;
    const message = `${why}; the token was exchanged a moment ago, and will be replaced at ${toTime(until)}`;
    const outcome = { kind: 'held', reason: 'Rotating', message } as const;
    return { token, status, outcome, secretHolds: holdsLive(task, status), until };
  }

  #failureOf({ wanted, status }: Task, error: unknown): Failure {
    const failure = failureOf(error);
    if (failure.reason === 'RegistryUnauthorized') this.#options.onUnauthorized(wanted.account);
    return wanted.place ? withTokensInGrace(failure, status, wanted.place) : failure;
  }
}
