import type { RegistryAccount } from '../../api/registry-account.ts';
import {
  InvalidSpec,
  readTokenSpec,
  type MintIntent,
  type RegistryToken,
  type TokenSpec,
} from '../../api/registry-token.ts';
import type { Clock } from '../../common/clock.ts';
import type { KubeObject, ObjectName } from '../../common/objects.ts';
import type { KubeClient } from '../../kube/client/client.ts';
import { NAMESPACES } from '../../kube/client/resources.ts';
import { providerOf } from '../../registry/backends.ts';
import { decide, type Decision } from '../../token/decide/decision.ts';
import { examine, type Refusal, type Wanted } from '../../token/decide/eligibility.ts';
import { hostInForce, type Situation } from '../../token/decide/situation.ts';
import { isStranded } from '../../token/decide/stranded-intent.ts';
import { reachOf } from '../../token/lifecycle/place.ts';
import { holds } from '../../token/lifecycle/secret-found.ts';
import { rank } from '../../token/secret/claimants.ts';
import { versionOf, type SecretView } from '../../token/secret/secret-view.ts';
import { leadsOf, type AccountSessions } from '../account/account-sessions.ts';
import type { Memory } from './memory.ts';
import type { SecretStore } from './secret-store.ts';

/** What the watches know. */
export interface Sources {
  token(name: ObjectName): RegistryToken | undefined;
  /** The RegistryToken of that uid, in whatever namespace. */
  tokenOf(uid: string): RegistryToken | undefined;
  /** Whether all namespaces are watched. */
  readonly complete: boolean;
  /** RegistryTokens in a namespace that want a Secret of that name. */
  claimants(namespace: string, secretName: string): readonly RegistryToken[];
  account(name: string): RegistryAccount | undefined;
  /** Metadata of a namespace. */
  namespace(name: string): KubeObject | undefined;
}

/** What was observed of a RegistryToken that may have what it asks for, and what is to be done. */
export interface Assessed {
  refusal?: undefined;
  spec: TokenSpec;
  wanted: Wanted;
  secret: SecretView;
  situation: Situation;
  decision: Decision;
}

/** What is to be done about a RegistryToken, or why nothing can be. */
export type Assessment = Assessed | { refusal: Refusal; spec: TokenSpec | undefined };

export interface AssessorOptions {
  sources: Sources;
  client: KubeClient;
  secrets: SecretStore;
  sessions: AccountSessions;
  memory: Memory;
  clock: Clock;
  mintBudget: number;
}

/** A Secret that another RegistryToken gets, which is told in its own words. */
const ANOTHERS: SecretView = { state: 'foreign', message: '' };

/** Gathers all that bears on a RegistryToken and asks the domain for its decision. Changes nothing. */
export class Assessor {
  readonly #options: AssessorOptions;

  constructor(options: AssessorOptions) {
    this.#options = options;
  }

  /** @param live look at the Secret itself, not at what the watch knows. @throws KubeError */
  async assess(token: RegistryToken, live: boolean, signal: AbortSignal): Promise<Assessment> {
    const { sources, secrets, sessions, memory, clock, mintBudget } = this.#options;
    let spec: TokenSpec | undefined;
    try {
      spec = readTokenSpec(token);
      const verdict = await this.#examine(token, spec, signal);
      if ('refusal' in verdict) return { refusal: verdict.refusal, spec };
      const { wanted } = verdict;
      const { namespace = '' } = token.metadata;
      const { older, younger } = rank(token, sources.claimants(namespace, spec.secret.name));
      const { complete } = sources;
      const others = { complete, find: (each: string) => sources.tokenOf(each), younger };
      const hosts = [...new Set([hostInForce(token.status ?? {}, wanted), wanted.host])];
      const yields = older !== undefined && !live && !secrets.mayBelongTo(token, spec.secret.name);
      // Many can name one Secret: none of those that do not get it reads it each time one of them comes or goes.
      const secret = yields ? ANOTHERS : await secrets.view(token, spec, hosts, others, live, signal);
      const { uid } = token.metadata;
      const recorded = token.status?.token;
      const pause = memory.repairPause(uid, clock.monotonic());
      const now = clock.now();
      const situation: Situation = {
        ...sessions.moment(wanted),
        token,
        spec,
        wanted,
        secret,
        olderClaimant: older,
        accountIsKnown: sessions.knows(wanted.account),
        accountProblem: this.#accountProblem(wanted.account),
        accountChangedAt: sessions.changedAt(wanted.account),
        place: sessions.place(wanted.account, wanted.region),
        intentIsStranded: this.#isStranded(token.status?.mintIntent),
        tokenIsGone: memory.isGone(uid, recorded) || memory.isValueLost(uid, recorded, versionOf(secret)),
        valueIsKnown: holds(secret, token.status ?? {}) || memory.recall(uid, recorded) !== undefined,
        mintBudget,
        verifies: sessions.verifies(wanted.account),
        hostTryAt: memory.hostTryAt(uid, wanted.host),
        contestedUntil: pause > 0 ? now + pause : undefined,
      };
      return { spec, wanted, secret, situation, decision: decide(situation) };
    } catch (error) {
      if (!(error instanceof InvalidSpec)) throw error;
      return { refusal: { reason: 'InvalidSpec', message: error.message }, spec };
    }
  }

  async #examine(
    token: RegistryToken,
    spec: TokenSpec,
    signal: AbortSignal,
  ): Promise<{ wanted: Wanted } | { refusal: Refusal }> {
    const account = this.#options.sources.account(spec.account);
    return examine({
      spec,
      account,
      namespace: await this.#namespace(token.metadata.namespace ?? '', signal),
      offer: account && providerOf(account.spec),
      identity: this.#options.sessions.identity(spec.account),
    });
  }

  /** What changed an account a moment ago is not what its credentials are used with yet. */
  #accountProblem(name: string): string | undefined {
    const { sources, sessions } = this.#options;
    const account = sources.account(name);
    const current = !account || sessions.isCurrent(account);
    return sessions.problem(name) ?? (current ? undefined : 'its latest change was not looked at yet');
  }

  #isStranded(intent: MintIntent | undefined): boolean {
    if (!intent) return false;
    const { sources, sessions } = this.#options;
    const account = sources.account(intent.account);
    const leads = account && leadsOf(account, sessions.identity(intent.account));
    return isStranded(leads && reachOf(intent.place, leads, intent.region));
  }

  async #namespace(
    name: string,
    signal: AbortSignal,
  ): Promise<{ name: string; labels: Readonly<Record<string, string>>; terminating: boolean }> {
    const { sources, client } = this.#options;
    const { metadata } =
      sources.namespace(name) ?? (await client.get(NAMESPACES, { name }, { metadataOnly: true, signal }));
    return { name, labels: metadata.labels ?? {}, terminating: metadata.deletionTimestamp !== undefined };
  }
}
