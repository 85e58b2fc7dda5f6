import { isDeepStrictEqual } from 'node:util';
import type { TokenQuota } from '../../api/capabilities.ts';
import {
  clusterTokenFault,
  type ClusterRegistryToken,
  type ClusterRegistryTokenStatus,
} from '../../api/cluster-registry-token.ts';
import { withConditions, type ConditionUpdate } from '../../api/conditions.ts';
import { FINALIZER } from '../../api/names.ts';
import { accountName, type RegistryToken } from '../../api/registry-token.ts';
import { toTime } from '../../api/syntax/time.ts';
import { CLUSTER_REGISTRY_TOKENS, REGISTRY_TOKENS } from '../../api/resources.ts';
import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import type { KubeObject, ObjectName } from '../../common/objects.ts';
import type { KubeClient } from '../../kube/client/client.ts';
import { KubeError } from '../../kube/client/errors.ts';
import type { EventRecorder } from '../../kube/events/event-recorder.ts';
import type { ReconcileResult } from '../../kube/queue/worker-pool.ts';
import { decideChild, isMatching } from '../../token/cluster-token/child-decision.ts';
import { isChild } from '../../token/cluster-token/child.ts';
import { quotaRemark } from '../../token/cluster-token/quota.ts';
import {
  childState,
  conditionsOf,
  IN_THE_WAY,
  summarize,
  type ChildState,
  type Summary,
} from '../../token/cluster-token/summary.ts';
import { guardedPatch } from '../shared/guarded-patch.ts';
import { essentialToken } from '../shared/kept-fields.ts';
import type { ChildKeeper } from './child-keeper.ts';

export interface ClusterTokenControllerOptions {
  client: KubeClient;
  /** What watches know. */
  parent: (name: string) => ClusterRegistryToken | undefined;
  namespaces: () => readonly KubeObject[];
  token: (name: ObjectName) => RegistryToken | undefined;
  /** The RegistryTokens of a ClusterRegistryToken, by its name. */
  children: (parent: string) => readonly RegistryToken[];
  /** How many RegistryTokens an account has, and can have. */
  account: (name: string) => { tokens: number; quota: TokenQuota | undefined };
  keeper: Pick<ChildKeeper, 'problem' | 'forget'>;
  /** Has the RegistryToken of a name looked at. */
  lookAt: (child: ObjectName) => void;
  events: Pick<EventRecorder, 'event'>;
  logger: Logger;
  clock: Clock;
}

/** How long a watch gets to tell of RegistryTokens that are still there, in milliseconds. */
const WATCH_DELAY = 2_000;

/**
 * Keeps one ClusterRegistryToken: finds the namespaces in which something is to be done, which `ChildKeeper` does, counts, and, when
 * it is deleted, lets it go after its RegistryTokens.
 */
export class ClusterTokenController {
  readonly #options: ClusterTokenControllerOptions;
  /** By name, those of which it was told that their account has no room for all. */
  readonly #toldQuota = new Set<string>();

  constructor(options: ClusterTokenControllerOptions) {
    this.#options = options;
  }

  /** @throws KubeError when the API server does not let it finish; to be tried again with backoff */
  async reconcile(name: string, signal: AbortSignal): Promise<ReconcileResult> {
    const parent = this.#options.parent(name);
    if (!parent) {
      this.#options.keeper.forget(name);
      this.#toldQuota.delete(name);
      return undefined;
    }
    if (parent.metadata.deletionTimestamp !== undefined) return this.#finalize(parent, signal);
    const fault = clusterTokenFault(parent);
    const { states, todo } = this.#look(parent);
    const summary = summarize(states);
    if (fault !== undefined)
      return this.#writeStatus(parent, summary, conditionsOf(parent, summary, { fault }), signal);
    const held = await this.#withFinalizer(parent, signal);
    if (!held) return undefined;
    const missing = todo.filter((child) => !this.#options.token(child)).length;
    const remark = this.#quotaRemark(parent, missing);
    for (const child of todo) this.#options.lookAt(child);
    await this.#writeStatus(held, summary, conditionsOf(parent, summary, { remark }), signal);
    return undefined;
  }

  /** How each matching namespace is, and where something is to be done. */
  #look(parent: ClusterRegistryToken): { states: Map<string, ChildState>; todo: ObjectName[] } {
    const { namespaces, token, keeper } = this.#options;
    const states = new Map<string, ChildState>();
    const todo: ObjectName[] = [];
    for (const namespace of namespaces()) {
      const child = { namespace: namespace.metadata.name, name: parent.metadata.name };
      const present = token(child);
      const action = decideChild({ parent, namespace, token: present });
      if (action !== 'none' && action !== 'inTheWay') todo.push(child);
      if (!isMatching(parent, namespace)) continue;
      const known = action === 'inTheWay' ? IN_THE_WAY : keeper.problem(child);
      states.set(child.namespace, known ?? (present ? childState(present) : { state: 'waiting' }));
    }
    return { states, todo };
  }

  /**
   * Deletes its RegistryTokens, and waits until they are gone with their tokens. What a watch has not told of yet is looked for once
   * before the end.
   */
  async #finalize(parent: ClusterRegistryToken, signal: AbortSignal): Promise<ReconcileResult> {
    const { name, finalizers } = parent.metadata;
    if (finalizers?.includes(FINALIZER) !== true) return undefined;
    const { children, keeper, lookAt } = this.#options;
    const left = children(name);
    for (const { metadata } of left) if (metadata.deletionTimestamp === undefined) lookAt(metadata);
    if (left.length === 0 && !(await this.#hasChildren(name, signal))) {
      await this.#removeFinalizer(parent, signal);
      return undefined;
    }
    const states = left.map((token): [string, ChildState] => [
      token.metadata.namespace ?? '',
      keeper.problem(token.metadata) ?? childState(token),
    ]);
    // What only the API server tells of is told of by the watch in a moment.
    if (left.length === 0) return { requeueAfter: WATCH_DELAY };
    const summary = summarize(new Map(states));
    const where = { left: states.map(([namespace]) => namespace) };
    await this.#writeStatus(parent, summary, conditionsOf(parent, summary, where), signal);
    return undefined;
  }

  async #hasChildren(name: string, signal: AbortSignal): Promise<boolean> {
    const fieldSelector = `metadata.name=${name}`;
    const options = { fieldSelector, signal };
    const { items } = await this.#options.client.list(REGISTRY_TOKENS, options, essentialToken);
    return items.some((token) => isChild(token));
  }

  /** @returns the object with the finalizer; undefined where it is gone, or going: the watch will tell */
  async #withFinalizer(
    parent: ClusterRegistryToken,
    signal: AbortSignal,
  ): Promise<ClusterRegistryToken | undefined> {
    if (parent.metadata.finalizers?.includes(FINALIZER) === true) return parent;
    const live = await this.#read(parent, signal);
    if (!live || live.metadata.deletionTimestamp !== undefined) return undefined;
    const { finalizers = [] } = live.metadata;
    if (finalizers.includes(FINALIZER)) return live;
    return this.#writeFinalizers(live, [...finalizers, FINALIZER], signal);
  }

  async #removeFinalizer(parent: ClusterRegistryToken, signal: AbortSignal): Promise<void> {
    const live = await this.#read(parent, signal);
    if (!live) return;
    const others = (live.metadata.finalizers ?? []).filter((each) => each !== FINALIZER);
    await this.#writeFinalizers(live, others, signal);
    this.#options.logger.info(
      { clusterRegistryToken: parent.metadata.name },
      'ClusterRegistryToken released',
    );
  }

  #writeFinalizers(
    live: ClusterRegistryToken,
    value: string[],
    signal: AbortSignal,
  ): Promise<ClusterRegistryToken> {
    const { client } = this.#options;
    return guardedPatch(client, CLUSTER_REGISTRY_TOKENS, live, [{ path: '/metadata/finalizers', value }], {
      signal,
    });
  }

  /** The object as it is now; undefined where it is gone. */
  async #read(
    { metadata: { name, uid } }: ClusterRegistryToken,
    signal: AbortSignal,
  ): Promise<ClusterRegistryToken | undefined> {
    try {
      const { client } = this.#options;
      const live = await client.get<ClusterRegistryToken>(CLUSTER_REGISTRY_TOKENS, { name }, { signal });
      return live.metadata.uid === uid ? live : undefined;
    } catch (error) {
      if (error instanceof KubeError && error.isNotFound) return undefined;
      throw error;
    }
  }

  /** Says, with an event when it begins, that the account can't have as many RegistryTokens as are asked of it. */
  #quotaRemark(parent: ClusterRegistryToken, missing: number): string | undefined {
    const { name } = parent.metadata;
    const account = accountName(parent.spec.template.spec ?? {});
    const { tokens, quota } = this.#options.account(account);
    const remark = quotaRemark(account, quota, tokens + missing);
    if (remark === undefined) this.#toldQuota.delete(name);
    else if (!this.#toldQuota.has(name)) {
      this.#toldQuota.add(name);
      this.#options.logger.warn({ clusterRegistryToken: name, reason: 'QuotaTooSmall' }, remark);
      this.#options.events.event(parent, 'Warning', 'QuotaTooSmall', remark);
    }
    return remark;
  }

  async #writeStatus(
    parent: ClusterRegistryToken,
    { namespaces, failures }: Summary,
    updates: readonly ConditionUpdate[],
    signal: AbortSignal,
  ): Promise<void> {
    const { client, clock, logger, events } = this.#options;
    const { name } = parent.metadata;
    const { failures: _, ...rest } = parent.status ?? {};
    const next: ClusterRegistryTokenStatus = {
      ...rest,
      namespaces,
      ...(failures.length > 0 && { failures }),
    };
    const status = withConditions(parent, next, updates, toTime(clock.now()));
    if (isDeepStrictEqual(status, parent.status)) return;
    const [ready] = updates;
    if (ready && parent.status?.reason !== status.reason) {
      const { reason, message } = ready;
      const isTrouble = reason === 'NamespacesFailed' || reason === 'InvalidSpec';
      logger[isTrouble ? 'warn' : 'info']({ clusterRegistryToken: name, reason }, message);
      if (isTrouble || reason === 'AllReady')
        events.event(parent, isTrouble ? 'Warning' : 'Normal', reason, message);
    }
    await guardedPatch(client, CLUSTER_REGISTRY_TOKENS, parent, [{ path: '/status', value: status }], {
      subresource: 'status',
      signal,
    });
  }
}
