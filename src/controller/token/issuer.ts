import type { MintIntent, RegistryTokenStatus } from '../../api/registry-token.ts';
import { RegistryError } from '../../registry/errors.ts';
import type { IssuedToken } from '../../registry/port.ts';
import { toTime } from '../../api/syntax/time.ts';
import { deadOnArrival } from '../../token/lifecycle/clock-skew.ts';
import { conditionsOf } from '../../token/lifecycle/conditions.ts';
import type { Decision } from '../../token/decide/decision.ts';
import type { Failure } from '../../token/lifecycle/failure.ts';
import { mintAllowance } from '../../token/decide/mint-budget.ts';
import { isSamePlace } from '../../token/lifecycle/place.ts';
import { rotateValue } from '../../token/decide/rotate-now.ts';
import * as steps from '../../token/lifecycle/status.ts';
import { newNonce } from '../../token/sweep/tag.ts';
import { failureOf } from '../shared/failures.ts';
import { idsOf } from '../shared/log-fields.ts';
import type { TokenMetrics } from '../shared/metrics.ts';
import type { Minter, Settlement } from './minter.ts';
import { Placer, scopeField, stray, type PlacerOptions } from './placer.ts';
import { failed, holdsLive, type Progress, type Task } from './progress.ts';
import type { StatusWriter } from './status-writer.ts';
import type { TokenClient } from './token-client.ts';

export interface IssuerOptions extends PlacerOptions {
  tokens: TokenClient;
  statuses: Pick<StatusWriter, 'write'>;
  minter: Minter;
  metrics: TokenMetrics;
  mintBudget: number;
  /** How far the clock of an account's region is ahead, in milliseconds; 0 where that is not known. */
  skew: (account: string, region: string) => number;
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
 * Gives a RegistryToken a new token: intent, mint, verification, Secret, status, in this order, so that a
 * crash between any two of them leaves enough behind to go on.
 */
export class Issuer {
  readonly #options: IssuerOptions;
  readonly #placer: Placer;

  constructor(options: IssuerOptions) {
    this.#options = options;
    this.#placer = new Placer(options);
  }

  /** As `mint`, or `exchange` where there is nothing to create. */
  issue(task: Task, decision: Extract<Decision, { action: 'mint' }>, signal: AbortSignal): Promise<Progress> {
    return task.wanted.issue === 'exchanged'
      ? this.exchange(task, decision, signal)
      : this.mint(task, decision, signal);
  }

  /**
   * Gets a token that nobody has to look after: it can't be listed or revoked, and ends by itself. So nothing is recorded before the
   * Secret has it, and after a crash the next look gets another.
   * @throws KubeError when the Secret can't be written for a passing reason
   */
  async exchange(
    task: Task,
    decision: Extract<Decision, { action: 'mint' }>,
    signal: AbortSignal,
  ): Promise<Progress> {
    const { tokens, clock, logger, skew, metrics, minter } = this.#options;
    const { wanted } = task;
    logger.info({ ...idsOf(task.token), reason: decision.reason }, `getting a token: ${decision.message}`);
    const owned = { ...task, token: await tokens.addFinalizer(task.token, signal) };
    const request = this.#requestOf(owned, decision);
    const begun = steps.withExchange(task.status, request, clock.now());
    let issued: IssuedToken;
    try {
      issued = await minter.mint(owned, begun.mintIntent, signal);
    } catch (error) {
      return failed(owned, task.status, this.#failureOf(task, error), this.#options);
    }
    if (issued.id === task.status.token?.id) return this.#sameAgain(owned, decision);
    metrics.minted(decision.reason);
    const ahead = skew(wanted.account, wanted.region);
    const dead = deadOnArrival(issued.expiresAt, clock.now(), ahead);
    const progress = dead
      ? this.#placer.refuse(owned, begun, begun.mintIntent, issued, dead)
      : await this.#placer.place(owned, begun, begun.mintIntent, issued, clock.now() + ahead, signal);
    return { ...progress, status: steps.withoutExchange(progress.status) };
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
    let listed: number;
    try {
      const held = task.secret.state === 'ours' ? task.secret.holds : undefined;
      const isToAsk = steps.isOlderThanSecret(task.status, held);
      const where = { ...wanted, place: decision.place };
      listed = await this.#options.minter.highestRevision(owned.metadata.uid, where, isToAsk, signal);
    } catch (error) {
      return failed({ ...task, token: owned }, task.status, failureOf(error), this.#options);
    }
    const intent = { nonce: newNonce(random()), ...this.#requestOf({ ...task, token: owned }, decision) };
    const rhythm = { lifetime: wanted.lifetime, rotation: spec.rotation };
    const allowance = mintAllowance(decision.reason, mintBudget, task.status, rhythm);
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
      issued = await this.#options.minter.mint(progress, intended.mintIntent, signal);
    } catch (error) {
      return this.#mintFailed(progress, announced, error);
    }
    this.#options.metrics.minted(decision.reason);
    const ahead = skew(wanted.account, wanted.region);
    const dead = deadOnArrival(issued.expiresAt, clock.now(), ahead);
    if (dead) return this.#placer.refuse(progress, announced, intended.mintIntent, issued, dead);
    // In the registry's time, as its expiry is: between them lies the token's real life.
    const issuedAt = clock.now() + ahead;
    return this.#placer.place(progress, announced, intended.mintIntent, issued, issuedAt, signal);
  }

  /**
   * Finds out what came of a recorded intent, and finishes it if it gave a token that is still wanted. Where its place is gone, or
   * the account may not look there and something else is wanted by now, it is given up: the sweep revokes what may have come of it,
   * should it find that.
   * @returns `lost` with the status so far, when there is none: whether to begin another is to be decided afresh
   * @throws KubeError as `mint` does
   */
  async settle(
    task: Task,
    { intent, stranded }: Extract<Decision, { action: 'settle' }>,
    signal: AbortSignal,
  ): Promise<Progress | { lost: RegistryTokenStatus }> {
    const { minter, verifier, clock, logger } = this.#options;
    const { token, status, wanted } = task;
    verifier.recall(token.metadata.uid, intent);
    let settlement: Settlement;
    try {
      settlement = await minter.settle(token, intent, stranded, signal);
    } catch (error) {
      // The account may not look there, as in a project that it may not see: what is wanted by now does not wait for that.
      const isInVain =
        error instanceof RegistryError && error.isRefusal && intent.specHash !== wanted.specHash;
      if (!isInVain) return failed(task, status, failureOf(error), this.#options);
      logger.warn(
        { ...idsOf(token), revision: intent.revision },
        `an earlier request is given up: ${error.message}`,
      );
      settlement = { result: 'lost', strays: [] };
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
    if (settlement.result === 'lost') await this.#options.onLost(intent, signal);
    if (settlement.result === 'lost' || !adopted) return { lost: cleaned };
    const issuedAt = Date.parse(intent.startedAt) + this.#options.skew(account, region);
    return this.#placer.place(task, cleaned, intent, settlement.issued, issuedAt, signal);
  }

  /** What was exchanged a moment ago is given to all who ask for the same. It is no answer to who asks for another. */
  #sameAgain(task: Task, { message: why }: Extract<Decision, { action: 'mint' }>): Progress {
    const { token, status } = task;
    const until = this.#options.clock.now() + EXCHANGE_PAUSE;
    const message = `${why}; the token was exchanged a moment ago, and will be replaced at ${toTime(until)}`;
    const outcome = { kind: 'held', reason: 'Rotating', message } as const;
    return { token, status, outcome, secretHolds: holdsLive(task, status), until };
  }

  /** What a status says of a request for a token. */
  #requestOf(
    { token, spec, wanted }: Task,
    { place, reason }: Extract<Decision, { action: 'mint' }>,
  ): Omit<MintIntent, 'revision' | 'startedAt' | 'phase' | 'nonce'> {
    const { account, region, scope, specHash, accountRotation } = wanted;
    const rotate = rotateValue(token);
    return {
      account,
      region,
      place,
      access: spec.access,
      ...scopeField(scope),
      specHash,
      reason,
      ...(rotate === undefined ? {} : { rotate }),
      ...(accountRotation === '' ? {} : { accountRotation }),
    };
  }

  #failureOf({ wanted }: Task, error: unknown): Failure {
    const failure = failureOf(error);
    if (failure.reason === 'RegistryUnauthorized') this.#options.onUnauthorized(wanted.account);
    return failure;
  }

  #mintFailed(task: Task, status: RegistryTokenStatus, error: unknown): Progress {
    const failure = this.#failureOf(task, error);
    // Only a mint that surely did not happen gives its revision back.
    const uncertain = failure.reason === 'MintUnconfirmed';
    const next = uncertain ? steps.withPhase(status, 'Unconfirmed') : steps.withoutIntent(status);
    return failed(task, next, failure, this.#options);
  }
}
