import type { RegistryTokenStatus } from '../api/registry-token.ts';
import type { Clock } from '../common/clock.ts';
import type { Logger } from '../common/logger.ts';
import type { EventRecorder } from '../kube/event-recorder.ts';
import type { Failure } from '../token/failure.ts';
import { rotateValue } from '../token/rotate-now.ts';
import * as steps from '../token/status.ts';
import { idsOf } from './log-fields.ts';
import { holds, type Progress, type Task } from './progress.ts';

export interface FailureReporterOptions {
  events: Pick<EventRecorder, 'event'>;
  logger: Logger;
  clock: Clock;
  random: () => number;
}

/** Tells of what did not work, in log, event and status, and when it is to be tried again. */
export class FailureReporter {
  readonly #options: FailureReporterOptions;

  constructor(options: FailureReporterOptions) {
    this.#options = options;
  }

  /** @param status so far. @returns where this reconcile ends */
  report(task: Task, status: RegistryTokenStatus, failure: Failure): Progress {
    const { clock, random, logger, events } = this.#options;
    const { reason, message } = failure;
    logger.warn({ ...idsOf(task.token), reason, attempts: (status.failedAttempts ?? 0) + 1 }, message);
    events.event(task.token, 'Warning', reason, message);
    return {
      token: task.token,
      status: steps.withFailure(status, failure, clock.now(), random(), rotateValue(task.token)),
      outcome: { kind: 'failed', failure },
      secretHolds: holds(task.secret, status),
    };
  }
}
