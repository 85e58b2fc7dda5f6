import { expect } from 'chai';
import { FINALIZER } from '../../../../src/api/names.ts';
import type { Condition, ConditionUpdate } from '../../../../src/api/conditions.ts';
import type { RegistryToken, RegistryTokenStatus } from '../../../../src/api/registry-token.ts';
import type { PodCounts } from '../../../../src/token/workloads/pod-counts.ts';
import { OutageWaiters } from '../../../../src/controller/shared/outage-waiters.ts';
import type { Assessment } from '../../../../src/controller/token/assessor.ts';
import { Conclusion } from '../../../../src/controller/token/conclusion.ts';
import { Executor } from '../../../../src/controller/token/executor.ts';
import { NONE_LEFT, type LeftSecrets } from '../../../../src/controller/token/former-secrets.ts';
import type { Progress, Task } from '../../../../src/controller/token/progress.ts';
import type { AwaitedToken } from '../../../../src/controller/token/revoker.ts';
import {
  TokenController,
  type TokenControllerOptions,
} from '../../../../src/controller/token/token-controller.ts';
import type { KubeError } from '../../../../src/kube/client/errors.ts';
import type { ReconcileResult } from '../../../../src/kube/queue/worker-pool.ts';
import { decide, type Decision } from '../../../../src/token/decide/decision.ts';
import type { Refusal } from '../../../../src/token/decide/eligibility.ts';
import { aSituation, HOUR, ISSUED } from '../../../support/builders.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';

export type Finding = NonNullable<Parameters<typeof aSituation>[0]>;

/** The controller of RegistryTokens among others that each do as told, and what it has them do, in order. */
export class ControllerStage {
  readonly clock: VirtualClock;
  readonly did: string[] = [];
  /** What was worked on. */
  readonly tasks: Task[] = [];
  /** Situations that looks find one after another; the last stays. */
  findings: Finding[] = [{}];
  refusal: Refusal | undefined;
  /** Why nothing can be found out. */
  failure: KubeError | undefined;
  /** Whether the watch has the RegistryToken. */
  isWatched = true;
  /** What the API server has in place of it. */
  live: RegistryToken | 'gone' | undefined;
  /** Why the API server does not take a finalizer. */
  refusesFinalizer: KubeError | undefined;
  /** How whatever is done ends, where not with everything as wanted. */
  ends: Partial<Progress> = {};
  /** What an open mint leaves that gave no token. */
  lost: RegistryTokenStatus | undefined;
  /** Whether the registry turns out not to have the token any more. */
  isGone = false;
  /** Until when revocations wait, by identifier. */
  waiting: AwaitedToken[] = [];
  left: LeftSecrets = NONE_LEFT;
  /** Tokens in Secrets of former names. */
  formerlyHeld: string[] = [];
  /** What stands in the way of ServiceAccounts. */
  problems: string[] = [];
  /** What is known of pods. */
  podCounts: PodCounts | 'off' | undefined = 'off';
  /** ServiceAccounts that have something of the RegistryToken. */
  linked: string[] = [];
  /** How far the clock of the builders' region is ahead. */
  skew = 0;
  /** Tokens that must not be revoked yet. */
  held: string[] = [];
  /** What revocations began with. */
  revoking: RegistryTokenStatus = {};
  status: RegistryTokenStatus = {};
  #conditions: readonly ConditionUpdate[] = [];
  #looks = 0;
  readonly #controller: TokenController;

  /** @param now milliseconds since `ISSUED` */
  constructor(now = HOUR) {
    this.clock = new VirtualClock(ISSUED + now);
    this.#controller = new TokenController(this.#options());
  }

  /** The RegistryToken as stored. */
  get token(): RegistryToken {
    return aSituation(this.findings[0]).token;
  }

  reconcile(): Promise<ReconcileResult> {
    this.#looks = 0;
    const { namespace, name } = this.token.metadata;
    return this.#controller.reconcile({ namespace, name }, new AbortController().signal);
  }

  condition(type: Condition['type']): ConditionUpdate | undefined {
    return this.#conditions.find((each) => each.type === type);
  }

  get ready(): ConditionUpdate {
    return this.condition('Ready') ?? expect.fail('nothing was said');
  }

  #assess(token: RegistryToken, live: boolean): Promise<Assessment> {
    this.did.push(live ? 'look at all' : 'look');
    if (this.failure) return Promise.reject(this.failure);
    const { refusal } = this;
    if (refusal) return Promise.resolve({ refusal, spec: undefined });
    const finding = this.findings[Math.min(this.#looks++, this.findings.length - 1)];
    const situation = { ...aSituation({ now: this.clock.now(), ...finding }), token };
    const { spec, wanted, secret } = situation;
    return Promise.resolve({ spec, wanted, secret, situation, decision: decide(situation) });
  }

  #end(task: Task): Progress {
    this.tasks.push(task);
    const { token, status } = task;
    return { token, status, outcome: { kind: 'done' }, secretHolds: true, ...this.ends };
  }

  #endUnlessGone(what: string, task: Task): Promise<Progress | 'token is gone'> {
    this.did.push(what);
    return Promise.resolve(this.isGone ? 'token is gone' : this.#end(task));
  }

  #options(): TokenControllerOptions {
    const { did } = this;
    const forgetting = (what: string) => (uid: string) => void did.push(`${what} forget ${uid}`);
    const options = {
      sources: { token: () => (this.isWatched ? this.token : undefined) },
      tokens: {
        freshest: (token: RegistryToken) => token,
        read: () => {
          did.push('read');
          const { live = this.token } = this;
          return Promise.resolve(live === 'gone' ? undefined : live);
        },
        addFinalizer: (token: RegistryToken) => {
          did.push('add finalizer');
          if (this.refusesFinalizer) return Promise.reject(this.refusesFinalizer);
          return Promise.resolve({ ...token, metadata: { ...token.metadata, finalizers: [FINALIZER] } });
        },
        forget: forgetting('writes'),
      },
      statuses: {
        write: (
          token: RegistryToken,
          status: RegistryTokenStatus,
          conditions: readonly ConditionUpdate[],
        ): Promise<RegistryToken> => {
          this.status = status;
          this.#conditions = conditions;
          return Promise.resolve(token);
        },
      },
      secrets: { forget: forgetting('Secrets') },
      memory: { forget: forgetting('memories'), isToldDead: () => true },
      formerSecrets: {
        remove: (_: RegistryToken, name: string) => {
          did.push(`remove all Secrets but ${name}`);
          return Promise.resolve(this.left);
        },
        held: () => this.formerlyHeld,
      },
      assessor: { assess: (token: RegistryToken, live: boolean) => this.#assess(token, live) },
      issuer: {
        issue: (task: Task, { reason }: Extract<Decision, { action: 'mint' }>) => {
          did.push(`mint for ${reason}`);
          return Promise.resolve(this.#end(task));
        },
        settle: (task: Task) => {
          did.push('settle');
          return Promise.resolve(this.lost ? { lost: this.lost } : this.#end(task));
        },
      },
      repairer: { repair: (task: Task) => this.#endUnlessGone('repair', task) },
      mover: { move: (task: Task) => this.#endUnlessGone('move', task) },
      revoker: {
        revokeDue: (_: RegistryToken, status: RegistryTokenStatus, held: ReadonlySet<string>) => {
          did.push('revoke');
          this.held = [...held];
          this.revoking = status;
          return Promise.resolve({ status, waiting: this.waiting });
        },
      },
      finalizer: {
        finalize: () => {
          did.push('finalize');
          return Promise.resolve(undefined);
        },
      },
      linker: {
        problems: () => this.problems,
        holders: (_: RegistryToken, name: string) => (this.linked.includes(name) ? [name] : []),
      },
      onGood: () => void did.push('is good'),
      clock: this.clock,
      defaultGracePeriod: 2 * HOUR,
      sessions: {
        moment: ({ account, region }: { account: string; region: string }) => {
          const now = this.clock.now();
          const skew = account === 'default' && region === 'us-south' ? this.skew : 0;
          return { now, registryNow: now + skew };
        },
      },
      tryNow: (account: string, region: string) => void did.push(`try ${account}/${region}`),
      tryAccount: (account: string) => void did.push(`try ${account}`),
      podCounts: () => this.podCounts,
      waiters: new OutageWaiters((key) => void did.push(`enqueue ${key}`)),
    };
    const parts = {
      executor: new Executor(options),
      conclusion: new Conclusion(options),
    };
    return { ...options, ...parts } as unknown as TokenControllerOptions;
  }
}
