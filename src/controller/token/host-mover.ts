import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import type { EventRecorder } from '../../kube/events/event-recorder.ts';
import { RegistryError } from '../../registry/errors.ts';
import { withoutPendingHost } from '../../token/lifecycle/pending-host.ts';
import { withoutFailure } from '../../token/lifecycle/failure.ts';
import type { Credential } from '../../token/secret/secret.ts';
import type { CredentialFinder } from './credential-finder.ts';
import { idsOf } from '../shared/log-fields.ts';
import type { Memory } from './memory.ts';
import { done, failed, waitingForHost, type Progress, type Task } from './progress.ts';
import type { SecretStore } from './secret-store.ts';
import type { Verifier } from './verifier.ts';

export interface HostMoverOptions {
  secrets: Pick<SecretStore, 'write'>;
  credentials: Pick<CredentialFinder, 'find'>;
  verifier: Pick<Verifier, 'try'>;
  memory: Memory;
  events: Pick<EventRecorder, 'event'>;
  logger: Logger;
  clock: Clock;
  random: () => number;
}

/**
 * Puts the host that an account names anew into a Secret that has another, once the registry there was seen to accept the token
 * in force; until then the Secret keeps its host. It does so whatever the account says of verification: a mistyped host must
 * not take a good one's place.
 */
export class HostMover {
  readonly #options: HostMoverOptions;

  constructor(options: HostMoverOptions) {
    this.#options = options;
  }

  /** @throws KubeError */
  async move(task: Task, signal: AbortSignal): Promise<Progress | 'token is gone'> {
    const { secrets, verifier, memory, events, logger, clock } = this.#options;
    const { token, status, wanted, spec } = task;
    const { uid } = token.metadata;
    const { account, region, host } = wanted;
    const { access = spec.access, scope } = status.token ?? {};
    const tried = { account, region, access, ...(scope && { scope }) };
    const credential = await this.#credential(task, signal);
    if (!credential) return 'token is gone';
    const verdict = 'answer' in credential ? credential : await verifier.try(tried, host, credential, signal);
    if (verdict.answer !== 'accepted' || 'answer' in credential) {
      const until = memory.noteHostTried(uid, host, clock.now());
      const message = 'message' in verdict ? verdict.message : '';
      const pending = { host, refused: verdict.answer === 'refused', message };
      return waitingForHost(task, status, pending, until, clock);
    }
    const placed = await secrets.write(task, host, credential, signal);
    if ('failure' in placed)
      return failed({ ...task, secret: placed.secret }, status, placed.failure, this.#options);
    const note = `Secret ${spec.secret.name} has host ${host} in place of ${status.host ?? 'none'}: the registry there accepts its token`;
    logger.info({ ...idsOf(token), host }, note);
    events.event(token, 'Normal', 'HostChanged', note);
    const moved = { ...status, host, secretRef: placed.secretRef };
    return done(token, withoutPendingHost(withoutFailure(moved)));
  }

  /** @returns undefined where the registry no longer has the token; why nobody knows where it can't be asked. @throws KubeError */
  async #credential(
    task: Task,
    signal: AbortSignal,
  ): Promise<Credential | { answer: 'unknown'; message: string } | undefined> {
    const { token } = task.status;
    try {
      return token && (await this.#options.credentials.find(task, token, signal));
    } catch (error) {
      if (error instanceof RegistryError) return { answer: 'unknown', message: error.message };
      throw error;
    }
  }
}
