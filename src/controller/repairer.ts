import type { Clock } from '../common/clock.ts';
import type { Logger } from '../common/logger.ts';
import type { EventRecorder } from '../kube/event-recorder.ts';
import type { IssuedToken } from '../registry/port.ts';
import type { Decision } from '../token/decision.ts';
import * as steps from '../token/status.ts';
import type { FailureReporter } from './failure-reporter.ts';
import { failureOf } from './failures.ts';
import { idsOf } from './log-fields.ts';
import type { Memory } from './memory.ts';
import type { TokenMetrics } from './metrics.ts';
import type { Minter } from './minter.ts';
import { done, type Progress, type Task } from './progress.ts';
import type { SecretWriter } from './secret-writer.ts';

export interface RepairerOptions {
  secrets: SecretWriter;
  minter: Minter;
  memory: Memory;
  failures: FailureReporter;
  events: Pick<EventRecorder, 'event'>;
  metrics: TokenMetrics;
  logger: Logger;
  clock: Clock;
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
    const { minter, secrets, memory, failures, metrics, events, clock, logger } = this.#options;
    const { token, status, spec, wanted } = task;
    const { uid } = token.metadata;
    // Behind another host there may be another registry, which knows nothing of this token.
    const moved = status.host !== undefined && status.host !== wanted.host;
    let issued: IssuedToken | undefined;
    try {
      const known = moved ? undefined : memory.recall(uid, status.token?.id);
      issued = known ?? (await minter.readBack(token, signal));
    } catch (error) {
      return failures.report(task, status, failureOf(error));
    }
    if (!issued || !status.token) {
      if (status.token) memory.markGone(uid, status.token.id);
      return 'token is gone';
    }
    const placed = await secrets.write(task, issued, signal);
    if ('failure' in placed) return failures.report(task, status, placed.failure);
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
    const written = { ...status, secretRef: placed.secretRef };
    if (!decision.held) return done(token, steps.withoutFailure(written));
    // What is held back beside it stays as it is: a repair must not restart its backoff.
    const { reason, message, until } = decision.held;
    return { token, status: written, outcome: { kind: 'held', reason, message }, secretHolds: true, until };
  }
}
