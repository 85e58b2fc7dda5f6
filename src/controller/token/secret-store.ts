import type { RegistryToken, TokenSpec } from '../../api/registry-token.ts';
import { shorten } from '../../api/syntax/text.ts';
import type { Logger } from '../../common/logger.ts';
import type { KubeObject, ObjectName } from '../../common/objects.ts';
import { Redacted } from '../../common/redacted.ts';
import type { KubeClient } from '../../kube/client/client.ts';
import { KubeError } from '../../kube/client/errors.ts';
import { SECRETS } from '../../kube/client/resources.ts';
import type { EventRecorder } from '../../kube/events/event-recorder.ts';
import type { Failure } from '../../token/lifecycle/failure.ts';
import type { Others } from '../../token/secret/claimants.ts';
import { redactValues } from '../../token/secret/redaction.ts';
import {
  alterations,
  belongsTo,
  PAYLOAD_KEY,
  payloadOf,
  secretManifest,
  type Credential,
  type Secret,
  type SecretManifest,
} from '../../token/secret/secret.ts';
import { knownSecret, writtenSecret, type SecretRef } from '../../token/secret/written-secret.ts';
import { viewSecret, type SecretView, type Takeover } from '../../token/secret/secret-view.ts';
import { idsOf } from '../shared/log-fields.ts';
import type { Task } from './progress.ts';
import type { Retention } from './retention.ts';

export type SecretObject = Secret & KubeObject;

/** Where a token stands now, or why it does not, with the Secret as it is after the try. */
export type Placed = { secretRef: SecretRef } | { failure: Failure; secret: SecretView };

export interface SecretStoreOptions {
  client: Pick<KubeClient, 'get' | 'apply' | 'delete'>;
  /** The watched metadata of a Secret. */
  cached: (name: ObjectName) => KubeObject | undefined;
  retention: Pick<Retention, 'forget'>;
  events: Pick<EventRecorder, 'event'>;
  logger: Logger;
}

/** Characters of what a webhook or quota says. */
const MAX_EXPLANATION = 256;

interface Seen {
  /** What the view was made from: the Secret's version and what was wanted of it. */
  from: string;
  view: SecretView;
}

/**
 * The Secrets of RegistryTokens. Watching gives only their metadata, so a Secret is read when its resourceVersion is neither
 * the one last looked at nor, where none was, the one that the status says was written, and not at all while nothing changes.
 */
export class SecretStore {
  readonly #options: SecretStoreOptions;
  readonly #seen = new Map<string, Seen>();

  constructor(options: SecretStoreOptions) {
    this.#options = options;
  }

  /**
   * Looks at the Secret a RegistryToken wants.
   * @param live true: read it whatever the watch says
   * @throws KubeError
   */
  async view(
    token: RegistryToken,
    spec: TokenSpec,
    hosts: readonly string[],
    others: Others,
    live: boolean,
    signal: AbortSignal,
  ): Promise<SecretView> {
    const name = { namespace: token.metadata.namespace, name: spec.secret.name };
    const watched = this.#options.cached(name)?.metadata;
    const seen = this.#seen.get(token.metadata.uid);
    if (!live && watched) {
      if (seen?.from === key(watched.resourceVersion, token, hosts)) return seen.view;
      // What this process has seen is later than what the status says: the watch lags, or something has changed.
      const known = seen ? undefined : knownSecret(watched, token, spec, hosts);
      if (known) return known;
    }
    return this.#look(await this.read(name, signal), token, spec, hosts, others);
  }

  /** Whether the watch knows the Secret of that name as a RegistryToken's. */
  mayBelongTo({ metadata }: RegistryToken, name: string): boolean {
    const secret = this.#options.cached({ namespace: metadata.namespace, name });
    return secret !== undefined && belongsTo(secret, metadata.uid);
  }

  /** Metadata of a Secret, where the watch knows the version that the status says was written; undefined where it has to be read. */
  asRecorded({ metadata: { namespace }, status }: RegistryToken, name: string): KubeObject | undefined {
    const { secretRef } = status ?? {};
    const watched = this.#options.cached({ namespace, name });
    const { uid, resourceVersion } = watched?.metadata ?? {};
    const isRecorded =
      secretRef?.name === name && secretRef.uid === uid && secretRef.resourceVersion === resourceVersion;
    return isRecorded ? watched : undefined;
  }

  #look(
    secret: SecretObject | undefined,
    token: RegistryToken,
    spec: TokenSpec,
    hosts: readonly string[],
    others?: Others,
  ): SecretView {
    const view = viewSecret(secret, token, spec, hosts, others);
    const { uid } = token.metadata;
    // Of what is another's, or was, other RegistryTokens decide.
    if (secret && view.state === 'ours' && !view.takeover) {
      const from = key(secret.metadata.resourceVersion, token, hosts);
      this.#seen.set(uid, { from, view: { ...view, payload: undefined } });
    } else {
      this.#seen.delete(uid);
    }
    return view;
  }

  /** The Secret of that name, or undefined when there is none. @throws KubeError */
  async read(name: ObjectName, signal: AbortSignal): Promise<SecretObject | undefined> {
    try {
      return await this.#options.client.get<SecretObject>(SECRETS, name, { signal });
    } catch (error) {
      if (error instanceof KubeError && error.isNotFound) return undefined;
      throw error;
    }
  }

  /**
   * Writes a token into the Secret, in place, with the host that goes with it. The Secret must still be the version that was looked at:
   * another process that believes that it leads may have put a later token there, and be about to revoke this one.
   * @throws KubeError for what passes by itself; a conflict, when the Secret was changed since it was looked at
   */
  async write(task: Task, host: string, credential: Credential, signal: AbortSignal): Promise<Placed> {
    const { token, spec, wanted, secret } = task;
    const manifest = secretManifest({ token, spec, host, credential });
    const takeover = secret.state === 'ours' ? secret.takeover : undefined;
    try {
      // Before its Secret is written: until then that alone keeps the sweep from it, and afterwards nothing is to.
      if (takeover?.leftBy !== undefined) {
        const former = { namespace: token.metadata.namespace, name: takeover.leftBy };
        await this.#options.retention.forget(takeover.tokenId, former, wanted.account, signal);
      }
      const stored = await this.#apply(manifest, secret, signal);
      const view = this.#look(stored, token, spec, [host]);
      const { name } = stored.metadata;
      const altered = alterations(manifest, stored);
      if (altered.length > 0) return { failure: contested(name, altered), secret: view };
      if (takeover) this.#tell(token, takeover);
      const { tokenId } = credential;
      return { secretRef: writtenSecret(stored.metadata, view, { token, spec, host, tokenId }) };
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      if (!isRefusal(error)) throw error;
      const failure = refused(error, manifest, await this.#payloadBefore(error, manifest, secret, signal));
      return { failure, secret };
    }
  }

  /**
   * Another process that believes that it leads may have put a later token there since.
   * @param seen the Secret that was looked at: it has to be that still, or still not there
   * @returns what was stored
   * @throws KubeError a conflict, when it is not
   */
  #apply(manifest: SecretManifest, seen: SecretView, signal: AbortSignal): Promise<SecretObject> {
    const isThere = seen.state === 'ours';
    const identity = isThere
      ? { uid: seen.uid, resourceVersion: seen.version }
      : { resourceVersion: BEFORE_ALL_OBJECTS };
    const applied = { ...manifest, metadata: { ...manifest.metadata, ...identity } };
    return this.#options.client.apply<SecretObject>(SECRETS, applied, { force: isThere, signal });
  }

  /**
   * The payload that the Secret had when a write was denied: who denies it sees that too, and may quote it.
   * @returns undefined where it is not known; null where there was none
   */
  async #payloadBefore(
    { denial }: KubeError,
    { metadata: { namespace, name } }: SecretManifest,
    secret: SecretView,
    signal: AbortSignal,
  ): Promise<Redacted | null | undefined> {
    if (secret.state !== 'ours') return null;
    if (secret.payload || !denial) return secret.payload;
    try {
      const found = await this.read({ namespace, name }, signal);
      return found?.metadata.resourceVersion === secret.version ? payloadOf(found) : undefined;
    } catch (error) {
      if (error instanceof KubeError) return undefined;
      throw error;
    }
  }

  #tell(token: RegistryToken, { from, message, tokenId }: Takeover): void {
    const { events, logger } = this.#options;
    logger.info({ ...idsOf(token), from, former: tokenId }, message);
    events.event(token, 'Normal', 'SecretTakenOver', message);
  }

  /** Deletes a Secret, if it is still that one. @throws KubeError */
  async remove({ metadata }: KubeObject, signal: AbortSignal): Promise<void> {
    const { namespace, name, uid } = metadata;
    try {
      await this.#options.client.delete(SECRETS, { namespace, name }, { uid, signal });
    } catch (error) {
      if (!(error instanceof KubeError && (error.isNotFound || error.isConflict))) throw error;
    }
  }

  /** Deletes a Secret, if it is as it was read. @throws KubeError a conflict, when it is not: it may be another's by now */
  async removeUnchanged({ metadata }: KubeObject, signal: AbortSignal): Promise<void> {
    const { namespace, name, uid, resourceVersion } = metadata;
    try {
      await this.#options.client.delete(SECRETS, { namespace, name }, { uid, resourceVersion, signal });
    } catch (error) {
      if (!(error instanceof KubeError && error.isNotFound)) throw error;
    }
  }

  forget(uid: string): void {
    this.#seen.delete(uid);
  }
}

/** What the view of a RegistryToken's own Secret depends on, beside the code: if this is the same, so is the view. */
function key(version: string, token: RegistryToken, hosts: readonly string[]): string {
  return JSON.stringify([version, token.metadata.generation, hosts]);
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
/**
 * A resourceVersion that no object has: etcd's revision before its first write. An object that is there conflicts with it, one that
 * is not is created: the API server compares versions only where there are two (registry/generic/registry/store.go, Update).
 */
const BEFORE_ALL_OBJECTS = '1';

const isRefusal = (error: KubeError): boolean =>
  error.denial !== undefined || error.isForbidden || error.isInvalid;

/** @param before the payload that the Secret had; undefined where it is not known: then nothing is quoted */
function refused(error: KubeError, sent: SecretManifest, before: Redacted | null | undefined): Failure {
  const { denial } = error;
  const reason = error.isNamespaceTerminating ? 'NamespaceTerminating' : 'SecretNotWritten';
  const payload = new Redacted(Buffer.from(sent.data[PAYLOAD_KEY] ?? '', 'base64').toString());
  const isQuotable = denial !== undefined && before !== undefined;
  const words = isQuotable
    ? redactValues(denial.explanation.reveal(), before ? [payload, before] : [payload])
    : '';
  const message = words === '' ? error.message : `${error.message}: ${shorten(words, MAX_EXPLANATION)}`;
  return { reason, message, retryable: true };
}
