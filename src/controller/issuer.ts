import type { MintIntent, RegistryToken, RegistryTokenStatus, TokenSpec } from '../api/registry-token.ts';
import { toTime } from '../api/time.ts';
import type { Clock } from '../common/clock.ts';
import type { Logger } from '../common/logger.ts';
import type { EventRecorder } from '../kube/event-recorder.ts';
import { KubeError } from '../kube/errors.ts';
import { RegistryError } from '../registry/errors.ts';
import type { IssuedToken } from '../registry/port.ts';
import type { Outcome } from '../token/conditions.ts';
import { conditionsOf } from '../token/conditions.ts';
import { rotateValue, type Decision } from '../token/decision.ts';
import type { Wanted } from '../token/eligibility.ts';
import type { Failure } from '../token/failure.ts';
import type { SecretView } from '../token/secret-view.ts';
import * as steps from '../token/status.ts';
import type { AccountSessions } from './account-sessions.ts';
import { failureOf } from './failures.ts';
import { idsOf } from './log-fields.ts';
import type { Memory } from './memory.ts';
import type { TokenMetrics } from './metrics.ts';
import type { Minter } from './minter.ts';
import type { SecretStore } from './secret-store.ts';
import { withConditions } from './status-conditions.ts';
import type { TokenClient } from './token-client.ts';

/** A RegistryToken in the middle of a reconcile: as last read or written, and its status as it is to become. */
export interface Progress {
  token: RegistryToken;
  status: RegistryTokenStatus;
  outcome: Outcome;
  /** Whether the Secret holds the token of `status`. */
  secretHolds: boolean;
  /** When to look again at the latest, milliseconds since 1970. */
  until?: number | undefined;
}

export interface Task {
  token: RegistryToken;
  spec: TokenSpec;
  wanted: Wanted;
  secret: SecretView;
}

export interface IssuerOptions {
  tokens: TokenClient;
  secrets: SecretStore;
  minter: Minter;
  sessions: AccountSessions;
  memory: Memory;
  events: EventRecorder;
  metrics: TokenMetrics;
  logger: Logger;
  clock: Clock;
  random: () => number;
  mintBudget: number;
  defaultGracePeriod: number;
  /** Called when a registry refused an account's credentials. */
  onUnauthorized: (account: string) => void;
}

/**
 * Carries out what was decided about a token in force: intent, mint, Secret, status, in this order, so that a crash
 * between any two of them leaves enough behind to go on.
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
    const { tokens, clock, logger, mintBudget } = this.#options;
    const { wanted, spec } = task;
    logger.info({ ...idsOf(task.token), reason: decision.reason }, `minting: ${decision.message}`);
    const owned = await tokens.addFinalizer(task.token, signal);
    const rotate = rotateValue(owned);
    const intent = {
      account: wanted.account,
      region: wanted.region,
      access: spec.access,
      specHash: wanted.specHash,
      reason: decision.reason,
      ...(rotate === undefined ? {} : { rotate }),
      ...(wanted.accountRotation === '' ? {} : { accountRotation: wanted.accountRotation }),
    };
    const intended = steps.withIntent(owned.status ?? {}, intent, mintBudget, clock.now());
    const first = intended.token === undefined;
    const announced = withConditions(
      owned,
      { ...intended, region: wanted.region, host: wanted.host },
      conditionsOf({
        status: intended,
        spec,
        wanted,
        secretHolds: holds(task.secret, intended),
        outcome: { kind: 'held', reason: first ? 'Issuing' : 'Rotating', message: decision.message },
        now: clock.now(),
      }),
      clock.now(),
    );
    const token = await tokens.writeStatus(owned, announced, signal);
    const progress = { ...task, token };
    let issued: IssuedToken;
    try {
      issued = await this.#options.minter.mint(token, spec, intended.mintIntent, signal);
    } catch (error) {
      return this.#mintFailed(progress, announced, error);
    }
    this.#options.metrics.minted(decision.reason);
    return this.#place(progress, announced, intended.mintIntent, issued, clock.now(), signal);
  }

  /** Finds out what came of a recorded intent and finishes it. @throws KubeError as `mint` does */
  async settle(task: Task, intent: MintIntent, signal: AbortSignal): Promise<Progress> {
    const { minter, clock, logger } = this.#options;
    const status = task.token.status ?? {};
    try {
      const settlement = await minter.settle(task.token, intent, signal);
      if (settlement.result === 'pending') {
        return {
          token: task.token,
          status,
          outcome: { kind: 'held', reason: settlement.reason, message: settlement.message },
          secretHolds: holds(task.secret, status),
          until: settlement.until,
        };
      }
      const cleaned = steps.withStrays(status, settlement.strays, clock.now());
      logger.info(
        { ...idsOf(task.token), revision: intent.revision, strays: settlement.strays.length },
        settlement.result === 'found' ? 'adopting a token created earlier' : 'an earlier mint left no token',
      );
      if (settlement.result === 'found') {
        const issuedAt = Date.parse(intent.startedAt);
        return await this.#place(task, cleaned, intent, settlement.issued, issuedAt, signal);
      }
      const reason = intent.reason as Extract<Decision, { action: 'mint' }>['reason'];
      const again = { ...task, token: { ...task.token, status: cleaned } };
      return await this.mint(
        again,
        { action: 'mint', reason, message: 'the last try left no token' },
        signal,
      );
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      return this.#failed(task, status, failureOf(error));
    }
  }

  /** Writes the Secret again with the token there is. @throws KubeError */
  async rewrite(
    task: Task,
    decision: Extract<Decision, { action: 'write' }>,
    signal: AbortSignal,
  ): Promise<Progress | 'token is gone'> {
    const { memory, metrics, events, clock, logger } = this.#options;
    const { token, spec } = task;
    const { uid } = token.metadata;
    const status = token.status ?? {};
    let issued: IssuedToken | undefined;
    try {
      issued = memory.recall(uid, status.token?.id) ?? (await this.#readBack(token, signal));
    } catch (error) {
      return this.#failed(task, status, failureOf(error));
    }
    if (!issued || !status.token) {
      if (status.token) memory.markGone(uid, status.token.id);
      return 'token is gone';
    }
    const placed = await this.#write(task, status.token, issued, signal);
    if ('failure' in placed) return this.#failed(task, status, placed.failure);
    logger.info(
      { ...idsOf(token), reason: decision.reason, id: issued.id },
      `Secret written: ${decision.message}`,
    );
    if (status.observedGeneration === token.metadata.generation) {
      memory.countRepair(uid, clock.monotonic());
      metrics.repaired(decision.reason);
      events.event(
        token,
        'Normal',
        'Repaired',
        `Secret ${spec.secret.name} written again: ${decision.message}`,
      );
    }
    return done(token, steps.withoutFailure({ ...status, secretRef: placed.secretRef }));
  }

  /** Puts a new token into the Secret and records it. */
  async #place(
    task: Task,
    status: RegistryTokenStatus,
    intent: MintIntent,
    issued: IssuedToken,
    issuedAt: number,
    signal: AbortSignal,
  ): Promise<Progress> {
    const { spec, token } = task;
    const { defaultGracePeriod, clock, events, logger } = this.#options;
    const record = {
      id: issued.id,
      access: intent.access,
      issuedAt: toTime(issuedAt),
      ...(issued.expiresAt === null ? {} : { expiresAt: toTime(issued.expiresAt) }),
      revision: intent.revision,
      specHash: intent.specHash,
      account: intent.account,
      region: intent.region,
    };
    const placed = await this.#write(task, record, issued, signal);
    if ('failure' in placed) return this.#failed(task, status, placed.failure);
    const grace = spec.rotation.gracePeriod ?? defaultGracePeriod;
    const first = status.token === undefined;
    const next = steps.withToken(
      { ...status, secretRef: placed.secretRef },
      record,
      intent.reason,
      grace,
      clock.now(),
    );
    const expiry = record.expiresAt === undefined ? 'never expires' : `expires at ${record.expiresAt}`;
    const { id, revision } = record;
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
    return done(token, next);
  }

  async #write(
    { token, spec, wanted, secret }: Task,
    record: { id: string },
    issued: IssuedToken,
    signal: AbortSignal,
  ): Promise<{ secretRef: { name: string; uid: string } } | { failure: Failure }> {
    const { secrets, sessions } = this.#options;
    const { username } = sessions.registry(wanted.account, wanted.region);
    const credential = { tokenId: record.id, username, value: issued.value };
    const uid = secret.state === 'ours' ? secret.uid : undefined;
    try {
      const written = await secrets.write(token, spec, wanted.host, credential, uid, signal);
      const former = token.status?.secretRef;
      if (former && former.name !== spec.secret.name) {
        const name = { namespace: token.metadata.namespace, name: former.name };
        await secrets.remove(name, token.metadata.uid, signal);
      }
      return { secretRef: { name: written.metadata.name, uid: written.metadata.uid } };
    } catch (error) {
      // A refusal by policy or quota is for people to see; everything else passes by itself.
      if (!(error instanceof KubeError && (error.isForbidden || error.isInvalid))) throw error;
      const reason = error.isNamespaceTerminating ? 'NamespaceTerminating' : 'SecretNotWritten';
      return { failure: { reason, message: error.message, retryable: true } };
    }
  }

  /**
   * Reads a recorded token's value back from the registry, if it is this RegistryToken's by its tag: a status that was
   * tampered with must not get somebody else's token out.
   */
  async #readBack(token: RegistryToken, signal: AbortSignal): Promise<IssuedToken | undefined> {
    const record = token.status?.token;
    if (!record) return undefined;
    const { sessions, minter, memory } = this.#options;
    const registry = sessions.registry(record.account, record.region);
    if (!registry.capabilities.readBack) return undefined;
    const rows = await minter.tokensOf(token.metadata.uid, registry, signal);
    if (!rows.some(({ row }) => row.id === record.id && !row.revoked)) return undefined;
    try {
      const issued = await registry.read(record.id, signal);
      memory.remember(token.metadata.uid, issued);
      return issued;
    } catch (error) {
      if (error instanceof RegistryError && error.code === 'NotFound') return undefined;
      throw error;
    }
  }

  #mintFailed(task: Task, status: RegistryTokenStatus, error: unknown): Progress {
    const failure = failureOf(error);
    if (failure.reason === 'RegistryUnauthorized') this.#options.onUnauthorized(task.wanted.account);
    // Only a mint that surely did not happen gives its revision back.
    const uncertain = failure.reason === 'MintUnconfirmed';
    return this.#failed(task, uncertain ? status : steps.withoutIntent(status), failure);
  }

  #failed(task: Task, status: RegistryTokenStatus, failure: Failure): Progress {
    const { clock, random, logger, events } = this.#options;
    const { reason, message } = failure;
    logger.warn({ ...idsOf(task.token), reason, attempts: (status.failedAttempts ?? 0) + 1 }, message);
    events.event(task.token, 'Warning', reason, message);
    return {
      token: task.token,
      status: steps.withFailure(status, failure, clock.now(), random()),
      outcome: { kind: 'failed', failure },
      secretHolds: holds(task.secret, status),
    };
  }
}

export function holds(secret: SecretView, status: RegistryTokenStatus): boolean {
  return secret.state === 'ours' && status.token !== undefined && secret.holds === status.token.id;
}

function done(token: RegistryToken, status: RegistryTokenStatus): Progress {
  return { token, status, outcome: { kind: 'done' }, secretHolds: true };
}
