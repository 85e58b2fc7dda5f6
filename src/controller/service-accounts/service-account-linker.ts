import type { RegistryToken } from '../../api/registry-token.ts';
import { isPattern } from '../../api/syntax/pattern.ts';
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
  planLinks,
  release,
  serviceAccountEntries,
  type Claim,
  type Links,
  type ServiceAccount,
} from '../../token/workloads/service-accounts.ts';
import { Contest } from '../shared/write-contest.ts';
import { idsOf } from '../shared/log-fields.ts';
import { Pace } from '../shared/pace.ts';
import { LinkProblems } from './link-problems.ts';
import { linkPatch } from './service-account-patch.ts';

export interface LinkerOptions {
  client: Pick<KubeClient, 'get' | 'jsonPatch'>;
  /** ServiceAccounts as the watch knows them. */
  serviceAccounts: {
    sees(namespace: string | undefined): boolean;
    get(name: ObjectName): ServiceAccount | undefined;
    named(namespace: string | undefined, entry: string): readonly ServiceAccount[];
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
/** ServiceAccounts that are changed in a second: a pattern can stand for thousands. */
const MAX_CHANGES_PER_SECOND = 50;
/** ServiceAccounts that one deletion changes at a time. */
const RELEASED_AT_ONCE = 8;

/**
 * Keeps Secrets in the imagePullSecrets of ServiceAccounts: what goes in and out is planned in token/; this reads and
 * patches. Several RegistryTokens can claim one ServiceAccount, so it is ServiceAccounts that are worked on, each by one
 * worker at a time.
 */
export class ServiceAccountLinker {
  readonly #options: LinkerOptions;
  readonly #problems = new LinkProblems();
  /** By key of the ServiceAccount and name of the Secret. */
  readonly #contests = new Map<string, Map<string, Contest>>();

  readonly #pace: Pace;

  constructor(options: LinkerOptions) {
    this.#options = options;
    this.#pace = new Pace(options.clock, MAX_CHANGES_PER_SECOND);
  }

  /** What keeps a RegistryToken's Secret out of ServiceAccounts, in words. */
  problems({ metadata, spec }: RegistryToken): string[] {
    const { namespace } = metadata;
    return (spec.serviceAccounts ?? []).flatMap((entry) => {
      const problem = isPattern(entry)
        ? this.#problems.ofMany(namespace, entry)
        : this.#problem({ namespace, name: entry });
      return problem === undefined ? [] : [problem];
    });
  }

  #problem(name: ObjectName): string | undefined {
    const { serviceAccounts } = this.#options;
    const missing = serviceAccounts.sees(name.namespace) && !serviceAccounts.get(name);
    return missing ? `waits for ServiceAccount ${name.name} to be created` : this.#problems.of(name);
  }

  /**
   * Names of the ServiceAccounts that an entry stands for and that have something of a RegistryToken.
   * @returns undefined while they are not known
   */
  holders({ metadata: { uid, namespace } }: RegistryToken, entry: string): string[] | undefined {
    const { serviceAccounts } = this.#options;
    if (!serviceAccounts.sees(namespace)) return undefined;
    const found = serviceAccounts.named(namespace, entry);
    return found.flatMap((account) =>
      Object.hasOwn(linksOf(account).record, uid) ? [account.metadata.name] : [],
    );
  }

  /**
   * Whether a ServiceAccount has a RegistryToken's Secret of that name, and so gives it to pods that are created now, or may,
   * for all that is known. Not where something stands in the way of a change: that can last.
   */
  gives(token: RegistryToken, secret: string): boolean {
    const { serviceAccounts } = this.#options;
    const { uid, namespace } = token.metadata;
    const entries = serviceAccountEntries(token);
    if (!serviceAccounts.sees(namespace)) return entries.length > 0;
    return entries
      .flatMap((entry) => serviceAccounts.named(namespace, entry))
      .some((account) => {
        const { name } = account.metadata;
        return linksOf(account).record[uid] === secret && this.#problem({ namespace, name }) === undefined;
      });
  }

  /** @throws KubeError when the API server does not let it finish; to be tried again with backoff */
  async reconcile(name: ObjectName, signal: AbortSignal): Promise<ReconcileResult> {
    const { serviceAccounts, clock } = this.#options;
    const account = serviceAccounts.get(name);
    const claimants = this.#options.claimants(name);
    const key = objectKey(name);
    const isNamed = claimants.some((token) => serviceAccountEntries(token).includes(name.name));
    if (claimants.length === 0 || (!account && !isNamed)) this.#contests.delete(key);
    if (!account) {
      const isAwaited = isNamed && serviceAccounts.sees(name.namespace);
      if (this.#problems.setMissing(name, isAwaited)) this.#tell(name);
      return undefined;
    }
    const links = linksOf(account);
    const pauses = pausesOf(this.#contests.get(key), clock.monotonic());
    // Claims are read again for each try: what is planned must fit what is there when it is written.
    const plan = (current: Links): Links => this.#plan(name, current, pauses);
    if (linkPatch(account, plan(links)).length > 0) {
      await this.#pace.turn(signal);
      const written = await this.#write(name, plan, signal);
      if (written.result === 'refused') {
        this.#report(name, refusal(name, written.error));
        return { requeueAfter: AFTER_REFUSAL };
      }
      if (written.result === 'changed') this.#changed(key, written, claimants);
    }
    const waiting = added(links, this.#plan(name, links)).flatMap((secret) => pauses.get(secret) ?? []);
    if (waiting.length === 0) {
      this.#report(name, undefined);
      return undefined;
    }
    this.#report(name, await this.#contested(name, signal));
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
   * the API server refuses is left, with a line in the log: it must not hold the RegistryToken for ever. So is what a pattern
   * stands for and is not known yet: once it is seen, its record tells that the RegistryToken is gone.
   * @throws KubeError for what passes by itself
   */
  async release(token: RegistryToken, keepEntries: boolean, signal: AbortSignal): Promise<void> {
    const { namespace } = token.metadata;
    const names = serviceAccountEntries(token).flatMap((entry) =>
      isPattern(entry) ? (this.holders(token, entry) ?? []) : [entry],
    );
    const left = new Set(names).values();
    const releaseSome = async (): Promise<void> => {
      for (const name of left) await this.#release(token, { namespace, name }, keepEntries, signal);
    };
    const done = await Promise.allSettled(Array.from({ length: RELEASED_AT_ONCE }, releaseSome));
    for (const each of done) if (each.status === 'rejected') throw each.reason;
  }

  async #release(
    token: RegistryToken,
    name: ObjectName,
    keepEntries: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const { logger } = this.#options;
    const { uid } = token.metadata;
    const fields = { ...idsOf(token), serviceAccount: name.name };
    const written = await this.#write(name, (links) => release(links, uid, keepEntries), signal);
    if (written.result === 'refused') logger.warn(fields, refusal(name, written.error));
    if (written.result === 'changed') logger.info(fields, 'ServiceAccount released');
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
      // Events are limited by object: those of the many that a pattern can stand for would leave none for what matters.
      if (serviceAccountEntries(token).includes(serviceAccount))
        events.event(token, 'Normal', secret === undefined ? 'Unlinked' : 'Linked', note);
      if (secret !== undefined && put.includes(secret)) onLinked(token, serviceAccount, before);
    }
  }

  #report(name: ObjectName, problem: string | undefined): void {
    if (this.#problems.set(name, problem)) this.#tell(name);
  }

  /** Those that claim it now: one that came while the API server was asked has said nothing of it yet. */
  #tell(name: ObjectName): void {
    for (const token of this.#options.claimants(name)) this.#options.onProblem(token);
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
