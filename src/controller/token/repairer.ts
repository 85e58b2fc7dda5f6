import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import type { EventRecorder } from '../../kube/events/event-recorder.ts';
import type { Decision } from '../../token/decide/decision.ts';
import type { Credential } from '../../token/secret/secret.ts';
import { hostInForce } from '../../token/decide/situation.ts';
import { withoutFailure } from '../../token/lifecycle/failure.ts';
import type { CredentialFinder } from './credential-finder.ts';
import { failureOf } from '../shared/failures.ts';
import { idsOf } from '../shared/log-fields.ts';
import type { Memory } from './memory.ts';
import type { TokenMetrics } from '../shared/metrics.ts';
import { done, failed, type Progress, type Task } from './progress.ts';
import type { SecretStore } from './secret-store.ts';
import type { Verifier } from './verifier.ts';

export interface RepairerOptions {
  secrets: Pick<SecretStore, 'write'>;
  credentials: Pick<CredentialFinder, 'find'>;
  verifier: Pick<Verifier, 'try'>;
  memory: Memory;
  events: Pick<EventRecorder, 'event'>;
  metrics: TokenMetrics;
  logger: Logger;
  clock: Clock;
  random: () => number;
}

/** Restores a Secret that was deleted, edited or is wanted otherwise, without creating a token. */
export class Repairer {
  readonly #options: RepairerOptions;

  constructor(options: RepairerOptions) {
    this.#options = options;
  }

  /** Writes the Secret again with the token there is. @throws KubeError */
  async repair(
    task: Task,
    decision: Extract<Decision, { action: 'write' }>,
    signal: AbortSignal,
  ): Promise<Progress | 'token is gone'> {
    const { secrets, memory, metrics, events, clock, logger } = this.#options;
    const { token, status, spec, wanted } = task;
    const { uid } = token.metadata;
    if (!status.token) return 'token is gone';
    const { id } = status.token;
    let credential: Credential | undefined;
    try {
      credential = await this.#options.credentials.find(task, status.token, signal);
    } catch (error) {
      return failed(task, status, failureOf(error), this.#options);
    }
    if (!credential) return 'token is gone';
    const adopting = task.stake === 'adopted';
    const host = adopting ? wanted.host : hostInForce(status, wanted);
    if (adopting) {
      const verdict = await this.#options.verifier.try(status.token, host, credential, signal);
      if (verdict.answer !== 'accepted') return this.#notAdopted(task, verdict);
    }
    const placed = await secrets.write(task, host, credential, signal);
    if ('failure' in placed)
      return failed({ ...task, secret: placed.secret }, status, placed.failure, this.#options);
    logger.info({ ...idsOf(token), reason: decision.reason, id }, `Secret written: ${decision.message}`);
    if (decision.reason !== 'SecretTakenOver' && status.observedGeneration === token.metadata.generation) {
      memory.countRepair(uid, clock.monotonic());
      metrics.repaired(decision.reason);
      events.event(
        token,
        'Normal',
        'Repaired',
        `Secret ${spec.secret.name} written again: ${decision.message}`,
      );
    }
    const written = { ...status, host, secretRef: placed.secretRef };
    if (!decision.held) return done(token, withoutFailure(written));
    // What is held back beside it stays as it is: a repair must not restart its backoff.
    const { reason, message, until } = decision.held;
    return { token, status: written, outcome: { kind: 'held', reason, message }, secretHolds: true, until };
  }

  /** What a Secret that is to be adopted holds stays until the registry was seen to accept the token. */
  #notAdopted(
    task: Task,
    { answer, message: why }: { answer: 'refused' | 'unknown'; message: string },
  ): Progress {
    const until = 'the Secret is adopted only once the registry was seen to accept the token';
    const failure =
      answer === 'refused'
        ? ({
            reason: 'TokenRefused',
            message: `${until}, and it refuses it: ${why}; rotate the token, or check that host and endpoint of the account's region belong together`,
            retryable: false,
          } as const)
        : ({
            reason: 'RegistryUnavailable',
            message: `${until}: ${why}; let the operator reach the registry's host, or set spec.verify of the account to Never`,
            retryable: true,
          } as const);
    return failed(task, task.status, failure, this.#options);
  }
}
