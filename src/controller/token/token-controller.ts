import type { RegistryToken } from '../../api/registry-token.ts';
import type { Clock } from '../../common/clock.ts';
import type { ObjectName } from '../../common/objects.ts';
import { KubeError } from '../../kube/client/errors.ts';
import { objectKey } from '../../kube/client/object-key.ts';
import type { ReconcileResult } from '../../kube/queue/worker-pool.ts';
import { isRetryRequested } from '../../token/decide/rotate-now.ts';
import { lacksFinalizer } from '../../token/lifecycle/deletion.ts';
import { holds } from '../../token/lifecycle/secret-found.ts';
import type { OutageWaiters } from '../shared/outage-waiters.ts';
import type { Assessment, Assessor, Sources } from './assessor.ts';
import type { Conclusion } from './conclusion.ts';
import { tellDead } from './dead-token.ts';
import type { Executor } from './executor.ts';
import type { Memory } from './memory.ts';
import type { SecretStore } from './secret-store.ts';
import type { StatusWriter } from './status-writer.ts';
import type { TokenClient } from './token-client.ts';
import type { TokenFinalizer } from './token-finalizer.ts';

/** How long a watch gets to tell that an object is gone, in milliseconds. */
const WATCH_DELAY = 5_000;

export interface TokenControllerOptions {
  sources: Pick<Sources, 'token'>;
  tokens: Pick<TokenClient, 'freshest' | 'read' | 'addFinalizer' | 'forget'>;
  statuses: Pick<StatusWriter, 'write'>;
  secrets: Pick<SecretStore, 'forget'>;
  assessor: Pick<Assessor, 'assess'>;
  executor: Pick<Executor, 'execute'>;
  conclusion: Pick<Conclusion, 'conclude'>;
  finalizer: Pick<TokenFinalizer, 'finalize'>;
  waiters: Pick<OutageWaiters, 'leave'>;
  memory: Memory;
  clock: Clock;
  /** Lets the next request to a place through, though it is taken to be down. */
  tryNow: (account: string, region: string) => void;
  /** Has an account's credentials tried now. */
  tryAccount: (account: string) => void;
}

/**
 * Keeps one RegistryToken as its spec says. Observes the RegistryToken, its account, its namespace and its Secret; writes
 * the Secret, the finalizer and, once at the end, the status. What to do is decided in token/; this has it carried out.
 */
export class TokenController {
  readonly #options: TokenControllerOptions;
  /** uid by name, so that what is remembered of an object can be dropped when only its name is left. */
  readonly #uids = new Map<string, string>();

  constructor(options: TokenControllerOptions) {
    this.#options = options;
  }

  /** @throws KubeError when the API server does not let it finish; to be tried again with backoff */
  async reconcile(name: ObjectName, signal: AbortSignal): Promise<ReconcileResult> {
    const { sources, tokens, finalizer, waiters } = this.#options;
    const cached = sources.token(name);
    this.#keepTrack(name, cached?.metadata.uid);
    if (cached?.metadata.deletionTimestamp !== undefined || !cached) waiters.leave(objectKey(name));
    if (!cached) return undefined;
    const token = tokens.freshest(cached);
    try {
      if (token.metadata.deletionTimestamp !== undefined) return await finalizer.finalize(token, signal);
      return await this.#maintain(name, token, signal);
    } catch (error) {
      // Nothing holds a RegistryToken that has no finalizer: it can go at any moment, as with its namespace.
      if (!(error instanceof KubeError && error.isNotFound)) throw error;
      if (await tokens.read(name, signal)) throw error;
      return { requeueAfter: WATCH_DELAY };
    }
  }

  /** @throws KubeError */
  async #maintain(name: ObjectName, seen: RegistryToken, signal: AbortSignal): Promise<ReconcileResult> {
    const { tokens, assessor, executor, conclusion, finalizer } = this.#options;
    let token = seen;
    const unguarded = lacksFinalizer(token);
    let assessment = unguarded ? undefined : await assessor.assess(token, false, signal);
    // To the end of the line: all whose tokens are dead say so before the first of them gets another.
    if (assessment && (await tellDead(token, assessment, this.#options, signal))) return { requeueAfter: 0 };
    const owned = assessment && (await this.#ownAtFirst(token, assessment, signal));
    if (assessment && owned) token = owned;
    else if (!assessment || callsForAction(assessment)) {
      // Watches lag. Before anything is done, decide again from what is there now.
      const live = await tokens.read(name, signal);
      // The watch will tell; should it be silent, asking at once again would be a hot loop.
      if (!live) return { requeueAfter: WATCH_DELAY };
      if (live.metadata.deletionTimestamp !== undefined) return finalizer.finalize(live, signal);
      token = lacksFinalizer(live) ? await tokens.addFinalizer(live, signal) : live;
      assessment = await this.#decideAgain(token, assessment, signal);
    }
    this.#hurry(token, assessment);
    const progress = await executor.execute(token, assessment, signal);
    return conclusion.conclude(assessment, progress, signal);
  }

  /**
   * Decides about a RegistryToken that was just read. Its Secret is read too, save where it only is to get another token: it is written
   * under the version that the watch knows, so that where it has changed since nothing is written.
   * @param before what was decided by the watches @throws KubeError
   */
  async #decideAgain(
    token: RegistryToken,
    before: Assessment | undefined,
    signal: AbortSignal,
  ): Promise<Assessment> {
    const { assessor } = this.#options;
    if (before && isRotation(before)) {
      const assessment = await assessor.assess(token, false, signal);
      if (isRotation(assessment)) return assessment;
    }
    return assessor.assess(token, true, signal);
  }

  /**
   * Adds the finalizer to a RegistryToken that is to get its first token, and whose Secret was just looked for and is not there. The
   * finalizer is written under the version that was decided by: where it is taken that version is the latest, and nothing has to be read again.
   * @returns the RegistryToken as stored now; undefined where this is another case, or a later version is there
   * @throws KubeError
   */
  async #ownAtFirst(
    token: RegistryToken,
    assessment: Assessment,
    signal: AbortSignal,
  ): Promise<RegistryToken | undefined> {
    if (assessment.refusal) return undefined;
    const { decision, secret } = assessment;
    // Whoever writes finalizers has to know those there are.
    const isFirst = decision.action === 'mint' && (token.metadata.finalizers ?? []).length === 0;
    if (!isFirst || secret.state !== 'absent') return undefined;
    try {
      return await this.#options.tokens.addFinalizer(token, signal);
    } catch (error) {
      if (error instanceof KubeError && error.isConflict) return undefined;
      throw error;
    }
  }

  /** What people ask for now does not wait for the time at which its place, or its account, would be tried anyhow. */
  #hurry(token: RegistryToken, assessment: Assessment): void {
    if (assessment.refusal || !isRetryRequested(token)) return;
    const { decision, wanted } = assessment;
    if (decision.action === 'mint') this.#options.tryNow(wanted.account, wanted.region);
    if (decision.action === 'settle') this.#options.tryNow(decision.intent.account, decision.intent.region);
    if (decision.action === 'hold' && decision.reason === 'AccountNotReady')
      this.#options.tryAccount(wanted.account);
  }

  #keepTrack(name: ObjectName, uid: string | undefined): void {
    const { memory, secrets, tokens } = this.#options;
    const key = objectKey(name);
    const before = this.#uids.get(key);
    if (before !== undefined && before !== uid) {
      for (const store of [memory, secrets, tokens]) store.forget(before);
      this.#uids.delete(key);
    }
    if (uid !== undefined) this.#uids.set(key, uid);
  }
}

/** Whether another token is to take the place of the one in its own Secret. */
function isRotation(assessment: Assessment): boolean {
  if (assessment.refusal) return false;
  const { decision, secret, situation } = assessment;
  const isAsWritten =
    secret.state === 'ours' && secret.current && holds(secret, situation.token.status ?? {});
  return decision.action === 'mint' && isAsWritten;
}

function callsForAction(assessment: Assessment): boolean {
  return !assessment.refusal && !['hold', 'rest'].includes(assessment.decision.action);
}
