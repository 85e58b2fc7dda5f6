import { clusterTokenFault, type ClusterRegistryToken } from '../../api/cluster-registry-token.ts';
import type { RegistryToken } from '../../api/registry-token.ts';
import { shorten } from '../../api/syntax/text.ts';
import { CLUSTER_REGISTRY_TOKENS, REGISTRY_TOKENS } from '../../api/resources.ts';
import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import type { KubeObject, ObjectName } from '../../common/objects.ts';
import type { KubeClient } from '../../kube/client/client.ts';
import { KubeError } from '../../kube/client/errors.ts';
import { objectKey } from '../../kube/client/object-key.ts';
import { NAMESPACES } from '../../kube/client/resources.ts';
import type { ReconcileResult } from '../../kube/queue/worker-pool.ts';
import { decideChild, type ChildAction } from '../../token/cluster-token/child-decision.ts';
import { changesOwners, childManifest, childPatch, wantedChild } from '../../token/cluster-token/child.ts';
import type { ChildState } from '../../token/cluster-token/summary.ts';
import { lastEditor } from '../../token/secret/secret.ts';
import { Contest } from '../shared/write-contest.ts';

export interface ChildKeeperOptions {
  client: Pick<KubeClient, 'get' | 'create' | 'mergePatch' | 'delete'>;
  /** What watches know. */
  parent: (name: string) => ClusterRegistryToken | undefined;
  namespace: (name: string) => KubeObject | undefined;
  token: (name: ObjectName) => RegistryToken | undefined;
  logger: Logger;
  clock: Clock;
  /** Called when what `stateOf` says of a ClusterRegistryToken's namespaces has changed. */
  onProblem: (parent: string) => void;
}

type Problem = Extract<ChildState, { state: 'failed' }>;

/** What is remembered of one namespace of a ClusterRegistryToken. Lost with the process; then it is tried once more. */
interface Attempts {
  /** What was asked for, and where: another wish is no fight, nor is another namespace of that name. */
  version: string;
  contest: Contest;
  problem?: Problem;
  /** What waits, and until when, in monotonic milliseconds. A deletion does not wait for what a write waits for. */
  wait?: { isRemoval: boolean; until: number };
}

/** A refusal by policy or quota lasts; in milliseconds. */
const AFTER_REFUSAL = 300_000;
/** How long a watch gets to tell what is there, in milliseconds. */
const WATCH_DELAY = 5_000;

/** Keeps the RegistryToken of a ClusterRegistryToken in one namespace: creates it, puts it right, takes it away. */
export class ChildKeeper {
  readonly #options: ChildKeeperOptions;
  /** By key of the RegistryToken. */
  readonly #attempts = new Map<string, Attempts>();

  constructor(options: ChildKeeperOptions) {
    this.#options = options;
  }

  /** What keeps a RegistryToken from being there as it is to be, as far as only this process knows. */
  problem(name: ObjectName): Problem | undefined {
    return this.#attempts.get(objectKey(name))?.problem;
  }

  /** @param name of the RegistryToken, and of the ClusterRegistryToken. @throws KubeError for what passes by itself */
  async reconcile(name: ObjectName, signal: AbortSignal): Promise<ReconcileResult> {
    const { clock } = this.#options;
    const key = objectKey(name);
    const parent = this.#options.parent(name.name);
    const token = this.#options.token(name);
    const namespace = this.#options.namespace(name.namespace ?? '');
    const action = parent ? decideChild({ parent, namespace, token }) : 'none';
    if (!parent || !namespace || action === 'none' || action === 'inTheWay') {
      const isLasting = namespace !== undefined && namespace.metadata.deletionTimestamp === undefined;
      this.#settled(name, isLasting && parent !== undefined);
      return undefined;
    }
    if (isFaulty(parent)) return undefined;
    const attempts = this.#attemptsOf(key, parent, namespace);
    const now = clock.monotonic();
    const isRemoval = action === 'remove';
    const { wait } = attempts;
    if (wait?.isRemoval === isRemoval && wait.until > now) return { requeueAfter: wait.until - now };
    const pause = isRemoval ? 0 : attempts.contest.pause(now);
    if (pause > 0) {
      const problem = await this.#contested(name, signal);
      return this.#report(name, attempts, problem, { isRemoval, until: now + pause });
    }
    try {
      const { written, ...result } = await this.#act(action, { parent, token, name }, signal);
      // What the API server did not write, nobody can have changed back.
      if (written) attempts.contest.count(now);
      return result;
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      // Namespaces, and what is in them, can go at any moment.
      if (error.isNotFound || error.isNamespaceTerminating) return { requeueAfter: WATCH_DELAY };
      if (!error.isForbidden && (!error.isInvalid || error.isConflict)) throw error;
      const message = shorten(error.message, 512);
      const problem: Problem = { state: 'failed', reason: 'NotWritten', message };
      return this.#report(name, attempts, problem, { isRemoval, until: now + AFTER_REFUSAL });
    }
  }

  /** Forgets what is remembered of a ClusterRegistryToken that is gone. */
  forget(parent: string): void {
    for (const key of this.#attempts.keys()) if (key.endsWith(`/${parent}`)) this.#attempts.delete(key);
  }

  /** @returns whether it was created or changed, and when to look again */
  async #act(
    action: Exclude<ChildAction, 'none' | 'inTheWay'>,
    {
      parent,
      token,
      name,
    }: { parent: ClusterRegistryToken; token: RegistryToken | undefined; name: ObjectName },
    signal: AbortSignal,
  ): Promise<{ written: boolean; requeueAfter?: number }> {
    const { client, logger } = this.#options;
    const fields = { clusterRegistryToken: name.name, namespace: name.namespace };
    const wanted = wantedChild(parent);
    if (!token) {
      try {
        await client.create(REGISTRY_TOKENS, childManifest(name.namespace ?? '', wanted), { signal });
      } catch (error) {
        if (!(error instanceof KubeError && error.isAlreadyExists)) throw error;
        return { written: false, requeueAfter: WATCH_DELAY };
      }
      logger.info(fields, 'RegistryToken created');
      return { written: true };
    }
    if (action === 'remove') {
      if (!(await this.#isToGo(parent, name, signal))) return { written: false, requeueAfter: WATCH_DELAY };
      const { uid, resourceVersion } = token.metadata;
      await client.delete(REGISTRY_TOKENS, name, { uid, resourceVersion, signal });
      logger.info(fields, 'RegistryToken deleted');
      return { written: false };
    }
    // Of owners, and of annotations for the Secret that are too many, a watch does not keep all.
    const whole = changesOwners(token, wanted) || token.spec.secret?.annotations !== undefined;
    const current = whole ? await client.get<RegistryToken>(REGISTRY_TOKENS, name, { signal }) : token;
    const { resourceVersion } = token.metadata;
    const patch = childPatch({ ...current, metadata: { ...current.metadata, resourceVersion } }, wanted);
    await client.mergePatch(REGISTRY_TOKENS, name, patch, { signal });
    logger.info(fields, 'RegistryToken changed to what the template says');
    // No watch tells of what an admission webhook took back before it was stored.
    return { written: true, requeueAfter: WATCH_DELAY };
  }

  /**
   * Whether a RegistryToken has to go by what is there now. Watches lag, each for itself: a selector and the labels of namespaces
   * that were changed one after the other can be seen the other way round, and a token that is revoked in between is missing to pods.
   */
  async #isToGo(parent: ClusterRegistryToken, name: ObjectName, signal: AbortSignal): Promise<boolean> {
    const { client } = this.#options;
    // A deletion is not taken back.
    if (parent.metadata.deletionTimestamp !== undefined) return true;
    const [now, namespace] = await Promise.all([
      client.get<ClusterRegistryToken>(CLUSTER_REGISTRY_TOKENS, { name: name.name }, { signal }),
      client.get<KubeObject>(NAMESPACES, { name: name.namespace ?? '' }, { signal, metadataOnly: true }),
    ]);
    const token = this.#options.token(name);
    return (
      now.metadata.uid === parent.metadata.uid && decideChild({ parent: now, namespace, token }) === 'remove'
    );
  }

  #attemptsOf(key: string, parent: ClusterRegistryToken, namespace: KubeObject): Attempts {
    const version = JSON.stringify([
      namespace.metadata.uid,
      parent.metadata.uid,
      parent.metadata.generation,
      wantedChild(parent).rotate,
    ]);
    const known = this.#attempts.get(key);
    if (known?.version === version) return known;
    const attempts = { version, contest: new Contest() };
    this.#attempts.set(key, attempts);
    return attempts;
  }

  async #contested(name: ObjectName, signal: AbortSignal): Promise<Problem> {
    let who = 'somebody keeps deleting it or relabelling its namespace';
    if (this.#options.token(name)) {
      const token = await this.#options.client.get<RegistryToken>(REGISTRY_TOKENS, name, { signal });
      who = `${lastEditor(token.metadata.managedFields) ?? 'somebody'} keeps changing it`;
    }
    return { state: 'failed', reason: 'Contested', message: `${who}, so it is put right ever more rarely` };
  }

  /** Tells a problem, if it is news. @returns when to look again */
  #report(
    name: ObjectName,
    attempts: Attempts,
    problem: Problem,
    wait: NonNullable<Attempts['wait']>,
  ): { requeueAfter: number } {
    attempts.wait = wait;
    if (attempts.problem?.message !== problem.message) {
      attempts.problem = problem;
      const fields = { clusterRegistryToken: name.name, namespace: name.namespace, reason: problem.reason };
      this.#options.logger.warn(fields, problem.message);
      this.#options.onProblem(name.name);
    }
    return { requeueAfter: Math.max(0, wait.until - this.#options.clock.monotonic()) };
  }

  /** @param mayReturn whether a fight over it can go on later */
  #settled(name: ObjectName, mayReturn: boolean): void {
    const key = objectKey(name);
    const attempts = this.#attempts.get(key);
    if (!attempts) return;
    const { problem } = attempts;
    if (mayReturn) {
      delete attempts.problem;
      delete attempts.wait;
    } else this.#attempts.delete(key);
    if (problem) this.#options.onProblem(name.name);
  }
}

/** While what it says can never work its RegistryTokens stay as they are. A deletion does not depend on that. */
const isFaulty = (parent: ClusterRegistryToken): boolean =>
  parent.metadata.deletionTimestamp === undefined && clusterTokenFault(parent) !== undefined;
