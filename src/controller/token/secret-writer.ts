import type { RegistryToken } from '../../api/registry-token.ts';
import { shorten } from '../../api/syntax/text.ts';
import type { Logger } from '../../common/logger.ts';
import { Redacted } from '../../common/redacted.ts';
import { KubeError } from '../../kube/client/errors.ts';
import type { EventRecorder } from '../../kube/events/event-recorder.ts';
import type { Failure } from '../../token/lifecycle/failure.ts';
import { redactValues } from '../../token/secret/redaction.ts';
import {
  alterations,
  PAYLOAD_KEY,
  secretManifest,
  type Credential,
  type SecretManifest,
} from '../../token/secret/secret.ts';
import type { SecretView, Takeover } from '../../token/secret/secret-view.ts';
import { idsOf } from '../shared/log-fields.ts';
import type { Task } from './progress.ts';
import type { Retention } from './retention.ts';
import type { SecretStore } from './secret-store.ts';

const MAX_EXPLANATION = 256;

/** Where a token stands now, or why it does not, with the Secret as it is after the try. */
export type Placed = { secretRef: { name: string; uid: string } } | { failure: Failure; secret: SecretView };

export interface SecretWriterOptions {
  secrets: Pick<SecretStore, 'write'>;
  retention: Pick<Retention, 'forget'>;
  events: Pick<EventRecorder, 'event'>;
  logger: Logger;
}

/** Puts tokens into Secrets. */
export class SecretWriter {
  readonly #options: SecretWriterOptions;

  constructor(options: SecretWriterOptions) {
    this.#options = options;
  }

  /**
   * Writes a token into the Secret, with the host that goes with it. The Secret must still be the version that was looked at: another
   * process that believes that it leads may have put a later token there, and be about to revoke this one.
   * @throws KubeError for what passes by itself; a conflict, when the Secret was changed since it was looked at
   */
  async write(task: Task, host: string, credential: Credential, signal: AbortSignal): Promise<Placed> {
    const { token, spec, wanted, secret } = task;
    const manifest = secretManifest({ token, spec, host, credential });
    const { uid, version, takeover } = secret.state === 'ours' ? secret : {};
    const seen = { uid, resourceVersion: version };
    try {
      // Before its Secret is written: until then that alone keeps the sweep from it, and afterwards nothing is to.
      if (takeover?.leftBy !== undefined) {
        const former = { namespace: token.metadata.namespace, name: takeover.leftBy };
        await this.#options.retention.forget(takeover.tokenId, former, wanted.account, signal);
      }
      const { stored, view } = await this.#options.secrets.write(manifest, task, host, seen, signal);
      const { name, uid: written } = stored.metadata;
      const altered = alterations(manifest, stored);
      if (altered.length > 0) return { failure: contested(name, altered), secret: view };
      if (takeover) this.#tell(token, takeover);
      return { secretRef: { name, uid: written } };
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      const failure = refused(error, manifest, secret);
      if (!failure) throw error;
      return { failure, secret };
    }
  }

  #tell(token: RegistryToken, { from, message, tokenId }: Takeover): void {
    const { events, logger } = this.#options;
    logger.info({ ...idsOf(token), from, former: tokenId }, message);
    events.event(token, 'Normal', 'SecretTakenOver', message);
  }
}

/** Trying again soon would only have it changed again. */
function contested(name: string, altered: readonly string[]): Failure {
  return {
    reason: 'SecretContested',
    message: `Secret ${name} was changed on its way into the cluster, by a webhook? What was stored differs from what was sent in ${altered.join(', ')}`,
    retryable: false,
  };
}

/** A refusal by policy or quota is for people to see; everything else passes by itself. */
function refused(error: KubeError, sent: SecretManifest, secret: SecretView): Failure | undefined {
  const { denial } = error;
  if (!denial && !error.isForbidden && !error.isInvalid) return undefined;
  const reason = error.isNamespaceTerminating ? 'NamespaceTerminating' : 'SecretNotWritten';
  // Who denies a write sees the Secret as it was and as it is to be.
  const payloads = [
    new Redacted(Buffer.from(sent.data[PAYLOAD_KEY] ?? '', 'base64').toString()),
    ...((secret.state === 'ours' && secret.payload && [secret.payload]) || []),
  ];
  const words = denial ? redactValues(denial.explanation.reveal(), payloads) : '';
  const message = words === '' ? error.message : `${error.message}: ${shorten(words, MAX_EXPLANATION)}`;
  return { reason, message, retryable: true };
}
