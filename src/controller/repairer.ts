import type { Clock } from '../common/clock.ts';
import type { Logger } from '../common/logger.ts';
import type { EventRecorder } from '../kube/event-recorder.ts';
import type { IssuedToken } from '../registry/port.ts';
import type { Decision } from '../token/decision.ts';
import type { Credential } from '../token/secret.ts';
import { heldCredential } from '../token/secret-view.ts';
import * as steps from '../token/status.ts';
import { failureOf } from './failures.ts';
import type { FormerSecrets } from './former-secrets.ts';
import { idsOf } from './log-fields.ts';
import type { Memory } from './memory.ts';
import type { TokenMetrics } from './metrics.ts';
import type { Minter } from './minter.ts';
import { done, failed, type Progress, type Task } from './progress.ts';
import type { SecretWriter } from './secret-writer.ts';

export interface RepairerOptions {
  secrets: Pick<SecretWriter, 'write'>;
  minter: Pick<Minter, 'readBack'>;
  formerSecrets: Pick<FormerSecrets, 'credential'>;
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
    // Behind another host there may be another registry, which knows nothing of this token.
    const moved = status.host !== undefined && status.host !== wanted.host;
    let credential: Credential | undefined;
    try {
      credential =
        (moved ? undefined : await this.#known(task, id, signal)) ?? (await this.#readBack(task, signal));
    } catch (error) {
      return failed(task, status, failureOf(error), this.#options);
    }
    if (!credential) {
      memory.markGone(uid, id);
      return 'token is gone';
    }
    const placed = await secrets.write(task, credential, signal);
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
    const written = { ...status, secretRef: placed.secretRef };
    if (!decision.held) return done(token, steps.withoutFailure(written));
    // What is held back beside it stays as it is: a repair must not restart its backoff.
    const { reason, message, until } = decision.held;
    return { token, status: written, outcome: { kind: 'held', reason, message }, secretHolds: true, until };
  }

  /**
   * The token's credential without asking the registry: as this process got it, as it stands intact in the Secret, or in the one of
   * the name before. What a Secret gives is not remembered: whoever may write the Secret may write another value there.
   * @throws KubeError
   */
  async #known(
    { token, status, secret }: Task,
    id: string,
    signal: AbortSignal,
  ): Promise<Credential | undefined> {
    const { memory, formerSecrets } = this.#options;
    const issued = memory.recall(token.metadata.uid, id);
    if (issued) return credentialOf(issued);
    return heldCredential(secret, id) ?? (await formerSecrets.credential(token, status, id, signal));
  }

  /** @throws RegistryError */
  async #readBack({ token }: Task, signal: AbortSignal): Promise<Credential | undefined> {
    const issued = await this.#options.minter.readBack(token, signal);
    return issued && credentialOf(issued);
  }
}

const credentialOf = ({ id, username, value }: IssuedToken): Credential => ({ tokenId: id, username, value });
