import type { RegistryToken } from '../../api/registry-token.ts';
import { shorten } from '../../api/syntax/text.ts';
import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import type { ObjectName } from '../../common/objects.ts';
import type { KubeClient } from '../../kube/client/client.ts';
import { KubeError } from '../../kube/client/errors.ts';
import type { EventRecorder } from '../../kube/events/event-recorder.ts';
import { objectKey } from '../../kube/client/object-key.ts';
import { SERVICE_ACCOUNTS } from '../../kube/client/resources.ts';
import type { ReconcileResult } from '../../kube/queue/worker-pool.ts';
import { lastEditor } from '../../token/secret/secret.ts';
import {
  added,
  claimOn,
  linksOf,
  namedServiceAccounts,
  planLinks,
  release,
  type Claim,
  type Links,
  type ServiceAccount,
} from '../../token/workloads/service-accounts.ts';
import { Contest } from '../shared/write-contest.ts';
import { idsOf } from '../shared/log-fields.ts';
import { linkPatch } from './service-account-patch.ts';

export interface LinkerOptions {
  client: Pick<KubeClient, 'get' | 'jsonPatch'>;
  /** ServiceAccounts as the watch knows them. */
  serviceAccounts: {
    sees(namespace: string | undefined): boolean;
    get(name: ObjectName): ServiceAccount | undefined;
  };
  /** RegistryTokens that have to do with a ServiceAccount, or had. */
  claimants: (serviceAccount: ObjectName) => readonly RegistryToken[];
  /** Whether a RegistryToken is gone and its Secret of that name is not, and is to stay. */
  outlived: (uid: string, secret: ObjectName) => boolean;
  events: Pick<EventRecorder, 'event'>;
  logger: Logger;
  clock: Clock;
  /** Called when what `problems` says of a RegistryToken has changed. */
  onProblem: (token: RegistryToken) => void;
  /** Called when a ServiceAccount got a RegistryToken's Secret. @param before what it had until then */
  onLinked: (token: RegistryToken, serviceAccount: string, before: Links) => void;
}

type Written =
  | { result: 'unchanged' }
  | { result: 'gone' }
  | { result: 'refused'; error: KubeError }
  | { result: 'changed'; before: Links; after: Links; account: ServiceAccount };

/** Tries within one reconcile while others keep writing the same ServiceAccount. */
const TRIES = 10;
const AFTER_REFUSAL = 300_000;

/**
 * Keeps Secrets in the imagePullSecrets of ServiceAccounts: what goes in and out is planned in token/; this reads and
 * patches. Several RegistryTokens can claim one ServiceAccount, so it is ServiceAccounts that are worked on, each by one
 * worker at a time.
 */
export class ServiceAccountLinker {
  readonly #options: LinkerOptions;
  /** What stands in the way, by key of the ServiceAccount. */
  readonly #problems = new Map<string, string>();
  /** By key of the ServiceAccount and name of the Secret. */
  readonly #contests = new Map<string, Map<string, Contest>>();

  constructor(options: LinkerOptions) {
    this.#options = options;
  }

  /** What keeps a RegistryToken's Secret out of ServiceAccounts, in words. */
  problems({ metadata, spec }: RegistryToken): string[] {
    return (spec.serviceAccounts ?? []).flatMap((name) => {
      const problem = this.#problem({ namespace: metadata.namespace, name });
      return problem === undefined ? [] : [problem];
    });
  }

  #problem(name: ObjectName): string | undefined {
    const { serviceAccounts } = this.#options;
    const missing = serviceAccounts.sees(name.namespace) && !serviceAccounts.get(name);
    return missing
      ? `waits for ServiceAccount ${name.name} to be created`
      : this.#problems.get(objectKey(name));
  }

  /** Whether a ServiceAccount still has something of a RegistryToken, or may have, for all that is known. */
  holds({ metadata }: RegistryToken, serviceAccount: string): boolean {
    const { serviceAccounts } = this.#options;
    if (!serviceAccounts.sees(metadata.namespace)) return true;
    const account = serviceAccounts.get({ namespace: metadata.namespace, name: serviceAccount });
    return account !== undefined && Object.hasOwn(linksOf(account).record, metadata.uid);
  }

  /**
   * Whether a ServiceAccount has a RegistryToken's Secret of that name, and so gives it to pods that are created now, or may,
   * for all that is known. Not where something stands in the way of a change: that can last.
   */
  gives(token: RegistryToken, secret: string): boolean {
    const { serviceAccounts } = this.#options;
    const { uid, namespace } = token.metadata;
    return namedServiceAccounts(token).some((name) => {
      if (!serviceAccounts.sees(namespace)) return true;
      const account = serviceAccounts.get({ namespace, name });
      if (!account || this.#problem({ namespace, name }) !== undefined) return false;
      return linksOf(account).record[uid] === secret;
    });
  }

  /** @throws KubeError when the API server does not let it finish; to be tried again with backoff */
  async reconcile(name: ObjectName, signal: AbortSignal): Promise<ReconcileResult> {
    const { serviceAccounts, clock } = this.#options;
    const account = serviceAccounts.get(name);
    const claimants = this.#options.claimants(name);
    const key = objectKey(name);
    if (claimants.length === 0) this.#contests.delete(key);
    if (!account) {
      this.#report(name, claimants, claimants.length === 0 ? undefined : this.#problem(name));
      return undefined;
    }
    const links = linksOf(account);
    const pauses = pausesOf(this.#contests.get(key), clock.monotonic());
    // Claims are read again for each try: what is planned must fit what is there when it is written.
    const plan = (current: Links): Links => this.#plan(name, current, pauses);
    if (linkPatch(account, plan(links)).length > 0) {
      const written = await this.#write(name, plan, signal);
      if (written.result === 'refused') {
        this.#report(name, claimants, refusal(name, written.error));
        return { requeueAfter: AFTER_REFUSAL };
      }
      if (written.result === 'changed') this.#changed(key, written, claimants);
    }
    const waiting = added(links, this.#plan(name, links)).flatMap((secret) => pauses.get(secret) ?? []);
    if (waiting.length === 0) {
      this.#report(name, claimants, undefined);
      return undefined;
    }
    this.#report(name, claimants, await this.#contested(name, signal));
    return { requeueAfter: Math.min(...waiting) };
  }

  /** @param pauses Secrets that are not put back yet */
  #plan(name: ObjectName, links: Links, pauses: ReadonlyMap<string, number> = new Map()): Links {
    const { claimants, outlived } = this.#options;
    const claims = claimants(name).map((token): Claim => {
      const claim = claimOn(token, name.name);
      return pauses.has(claim.secret ?? '') ? { ...claim, frozen: true } : claim;
    });
    return planLinks(links, claims, (uid, secret) =>
      outlived(uid, { namespace: name.namespace, name: secret }),
    );
  }

  async #contested(name: ObjectName, signal: AbortSignal): Promise<string> {
    const { metadata } = await this.#options.client.get<ServiceAccount>(SERVICE_ACCOUNTS, name, { signal });
    const editor = lastEditor(metadata.managedFields) ?? 'somebody';
    return `${editor} keeps taking the Secret out of ServiceAccount ${name.name}, so it is put back ever more rarely`;
  }

  /**
   * Takes what a RegistryToken that is being deleted has put into ServiceAccounts out again, unless its Secret stays. What
   * the API server refuses is left, with a line in the log: it must not hold the RegistryToken for ever.
   * @throws KubeError for what passes by itself
   */
  async release(token: RegistryToken, keepEntries: boolean, signal: AbortSignal): Promise<void> {
    const { uid, namespace } = token.metadata;
    for (const serviceAccount of namedServiceAccounts(token)) {
      const name = { namespace, name: serviceAccount };
      const written = await this.#write(name, (links) => release(links, uid, keepEntries), signal);
      if (written.result === 'refused')
        this.#options.logger.warn({ ...idsOf(token), serviceAccount }, refusal(name, written.error));
      if (written.result === 'changed')
        this.#options.logger.info({ ...idsOf(token), serviceAccount }, 'ServiceAccount released');
    }
  }

  async #write(name: ObjectName, plan: (links: Links) => Links, signal: AbortSignal): Promise<Written> {
    const { client } = this.#options;
    let refused: { version: string; error: KubeError } | undefined;
    for (let attempt = 1; ; attempt++) {
      try {
        const account = await client.get<ServiceAccount>(SERVICE_ACCOUNTS, name, { signal });
        const { resourceVersion: version } = account.metadata;
        // A test that fails and a policy are refused alike; but the first only when the object has changed.
        if (refused?.version === version) return { result: 'refused', error: refused.error };
        const before = linksOf(account);
        const after = plan(before);
        const patch = linkPatch(account, after);
        if (patch.length === 0) return { result: 'unchanged' };
        try {
          const changed = await client.jsonPatch<ServiceAccount>(SERVICE_ACCOUNTS, name, patch, { signal });
          return { result: 'changed', before, after, account: changed };
        } catch (error) {
          if (!(error instanceof KubeError && (error.isInvalid || error.isConflict))) throw error;
          if (attempt === TRIES) throw error;
          refused = { version, error };
        }
      } catch (error) {
        if (!(error instanceof KubeError)) throw error;
        if (error.isNotFound) return { result: 'gone' };
        if (error.isForbidden) return { result: 'refused', error };
        throw error;
      }
    }
  }

  #changed(
    key: string,
    { before, after, account }: Extract<Written, { result: 'changed' }>,
    claimants: readonly RegistryToken[],
  ): void {
    const { clock, events, logger, onLinked } = this.#options;
    const contests = this.#contests.get(key) ?? new Map<string, Contest>();
    this.#contests.set(key, contests);
    const put = added(before, after);
    for (const secret of put) {
      const contest = contests.get(secret) ?? new Contest();
      contest.count(clock.monotonic());
      contests.set(secret, contest);
    }
    const { name: serviceAccount } = account.metadata;
    for (const token of claimants) {
      const had = before.record[token.metadata.uid];
      const secret = after.record[token.metadata.uid];
      if (secret === had && !put.includes(secret ?? '')) continue;
      const what = secret === undefined ? `Secret ${had} taken out of` : `Secret ${secret} put into`;
      const note = `${what} imagePullSecrets of ServiceAccount ${serviceAccount}`;
      logger.info({ ...idsOf(token), serviceAccount }, note);
      events.event(token, 'Normal', secret === undefined ? 'Unlinked' : 'Linked', note);
      if (secret !== undefined && put.includes(secret)) onLinked(token, serviceAccount, before);
    }
  }

  #report(name: ObjectName, claimants: readonly RegistryToken[], problem: string | undefined): void {
    const key = objectKey(name);
    if (this.#problems.get(key) === problem) return;
    if (problem === undefined) this.#problems.delete(key);
    else this.#problems.set(key, problem);
    for (const token of claimants) this.#options.onProblem(token);
  }
}

function refusal({ name }: ObjectName, error: KubeError): string {
  return `ServiceAccount ${name} could not be changed: ${shorten(error.message, 256)}`;
}

/** The Secrets that are held back, and for how many milliseconds. */
function pausesOf(contests: ReadonlyMap<string, Contest> = new Map(), now: number): Map<string, number> {
  const pauses = [...contests].map(([secret, contest]) => [secret, contest.pause(now)] as const);
  return new Map(pauses.filter(([, pause]) => pause > 0));
}
