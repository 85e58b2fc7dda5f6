import type { RegistryToken, TokenSpec } from '../../api/registry-token.ts';
import type { KubeClient } from '../../kube/client/client.ts';
import { KubeError } from '../../kube/client/errors.ts';
import type { KubeObject, ObjectName } from '../../common/objects.ts';
import { SECRETS } from '../../kube/client/resources.ts';
import { belongsTo, type Secret, type SecretManifest } from '../../token/secret/secret.ts';
import type { Others } from '../../token/secret/claimants.ts';
import { viewSecret, type SecretView } from '../../token/secret/secret-view.ts';
import type { Task } from './progress.ts';

export type SecretObject = Secret & KubeObject;

interface Seen {
  /** What the view was made from: the Secret's version and what was wanted of it. */
  from: string;
  view: SecretView;
}

/**
 * The Secrets of RegistryTokens. Watching gives only their metadata, so a Secret is read when its resourceVersion is not
 * the one last looked at, and not at all while nothing changes.
 */
export class SecretStore {
  readonly #client: KubeClient;
  readonly #cached: (name: ObjectName) => KubeObject | undefined;
  readonly #seen = new Map<string, Seen>();

  /** @param cached the watched metadata of a Secret */
  constructor(client: KubeClient, cached: (name: ObjectName) => KubeObject | undefined) {
    this.#client = client;
    this.#cached = cached;
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
    const version = this.#cached(name)?.metadata.resourceVersion;
    const seen = this.#seen.get(token.metadata.uid);
    if (!live && version !== undefined && seen?.from === key(version, token, hosts)) return seen.view;
    return this.#look(await this.read(name, signal), token, spec, hosts, others);
  }

  /** Whether the watch knows the Secret of that name as a RegistryToken's. */
  mayBelongTo({ metadata }: RegistryToken, name: string): boolean {
    const secret = this.#cached({ namespace: metadata.namespace, name });
    return secret !== undefined && belongsTo(secret, metadata.uid);
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
      return await this.#client.get<SecretObject>(SECRETS, name, { signal });
    } catch (error) {
      if (error instanceof KubeError && error.isNotFound) return undefined;
      throw error;
    }
  }

  /**
   * Writes a Secret, in place: one that is there keeps its uid.
   * @param manifest what is to be there
   * @param seen the Secret looked at before, by uid, and its version, since which it must not have changed; undefined when there was none
   * @returns what was stored, and how it looks now
   * @throws KubeError a conflict, when the Secret is no longer what was looked at
   */
  async write(
    manifest: SecretManifest,
    { token, spec }: Pick<Task, 'token' | 'spec'>,
    host: string,
    { uid, resourceVersion }: { uid: string | undefined; resourceVersion: string | undefined },
    signal: AbortSignal,
  ): Promise<{ stored: SecretObject; view: SecretView }> {
    const { metadata } = manifest;
    const identity = { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) };
    const applied = { ...manifest, metadata: { ...metadata, ...identity } };
    // Not forced on a Secret believed absent: should somebody else's have come up meanwhile, its payload conflicts.
    const options = { force: uid !== undefined, signal };
    const stored = await this.#client.apply<SecretObject>(SECRETS, applied, options);
    return { stored, view: this.#look(stored, token, spec, [host]) };
  }

  /** Deletes a Secret, if it is still that one. @throws KubeError */
  async remove({ metadata }: SecretObject, signal: AbortSignal): Promise<void> {
    const { namespace, name, uid } = metadata;
    try {
      await this.#client.delete(SECRETS, { namespace, name }, { uid, signal });
    } catch (error) {
      if (!(error instanceof KubeError && (error.isNotFound || error.isConflict))) throw error;
    }
  }

  /** Deletes a Secret, if it is as it was read. @throws KubeError a conflict, when it is not: it may be another's by now */
  async removeUnchanged({ metadata }: SecretObject, signal: AbortSignal): Promise<void> {
    const { namespace, name, uid, resourceVersion } = metadata;
    try {
      await this.#client.delete(SECRETS, { namespace, name }, { uid, resourceVersion, signal });
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
