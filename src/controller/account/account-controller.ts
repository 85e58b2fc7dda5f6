import { isDeepStrictEqual } from 'node:util';
import { withCondition, withConditions, type ConditionUpdate } from '../../api/conditions.ts';
import type { Reason } from '../../api/reasons.ts';
import {
  accountFault,
  type RegistryAccount,
  type RegistryAccountStatus,
} from '../../api/registry-account.ts';
import type { RegistryToken, RegistryTokenStatus } from '../../api/registry-token.ts';
import { toTime } from '../../api/syntax/time.ts';
import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import { Redacted } from '../../common/redacted.ts';
import type { KubeClient } from '../../kube/client/client.ts';
import type { EventRecorder } from '../../kube/events/event-recorder.ts';
import type { ReconcileResult } from '../../kube/queue/worker-pool.ts';
import type { CredentialsData } from '../../registry/port.ts';
import {
  namedProviders,
  PROVIDER_NAMES,
  providerOf,
  type Credentials,
  type Provider,
} from '../../registry/backends.ts';
import type { RegistryDirectory } from '../../registry/directory.ts';
import { rotationProgress } from '../../token/decide/account-rotation.ts';
import { nothingAllowed } from '../../token/decide/eligibility.ts';
import { KubeError } from '../../kube/client/errors.ts';
import { retryDelay, type Failure } from '../../token/lifecycle/failure.ts';
import { withTrueEnding, type IssueAt } from '../../token/lifecycle/ending.ts';
import { pendingRemarks } from '../../token/lifecycle/pending-host.ts';
import { placesOf } from '../../token/sweep/sweep-regions.ts';
import { credentialsOf, type AccountSessions } from './account-sessions.ts';
import { failureOf } from '../shared/failures.ts';
import { guardedPatch } from '../shared/guarded-patch.ts';
import { REGISTRY_ACCOUNTS } from '../shared/resources.ts';
import type { SecretObject, SecretStore } from '../token/secret-store.ts';

/** Whose the credentials are, or what is wrong with them. */
type Verdict = { identity: string; remark?: string } | Failure;

/** One that can't be tried is asked this often at least, in milliseconds: RegistryTokens wait for it. */
const MAX_OUTAGE_PAUSE = 60_000;
/** A working account is looked at again after this long: its key may have been revoked. */
const CHECK_INTERVAL = 900_000;

export interface AccountControllerOptions {
  account: (name: string) => RegistryAccount | undefined;
  /** Whether there are watched namespaces whose RegistryTokens are not known now. */
  unreadable: () => boolean;
  /** The RegistryTokens that refer to an account. */
  tokensOf: (account: string) => readonly RegistryToken[];
  client: KubeClient;
  secrets: SecretStore;
  sessions: AccountSessions;
  directory: RegistryDirectory;
  events: EventRecorder;
  logger: Logger;
  clock: Clock;
  random: () => number;
  operatorNamespace: string;
  /** Where it is off, nobody counts orphans: the status is not to go on saying how many there were. */
  sweep: 'revoke' | 'report' | 'off';
  /** Told of every key read, so that no log line lets one through. */
  protect: (secret: Redacted) => void;
  /** Called when an account began or ceased to work, or works with other credentials. */
  onChange: (account: string) => void;
}

/**
 * Keeps each RegistryAccount's credentials in use: reads them from the operator's namespace, tries them, and says in the
 * account's Ready condition whether they work.
 */
export class AccountController {
  readonly #options: AccountControllerOptions;
  readonly #failures = new Map<string, number>();
  /** Accounts that were there when they were last looked at. */
  readonly #known = new Set<string>();
  /** What is told of each account that can't be used, by name: the same words while the trouble is the same. */
  readonly #problems = new Map<string, { cause: string; message: string }>();
  /** Of accounts that name a host which Secrets can't have: whether that was told. */
  readonly #toldHosts = new Set<string>();

  constructor(options: AccountControllerOptions) {
    this.#options = options;
  }

  /** @throws KubeError when the API server does not let it finish; to be tried again with backoff */
  async reconcile(name: string, signal: AbortSignal): Promise<ReconcileResult> {
    const { sessions, random, onChange } = this.#options;
    const account = this.#options.account(name);
    if (!account || account.metadata.deletionTimestamp !== undefined) {
      this.#tellDeletion(name);
      sessions.forget(name);
      this.#failures.delete(name);
      this.#problems.delete(name);
      onChange(name);
      return undefined;
    }
    this.#known.add(name);
    const { verdict, changed } = await this.#tryCredentials(account, signal);
    if (changed) onChange(name);
    await this.#writeStatus(account, verdict, signal);
    if (!('reason' in verdict)) {
      this.#failures.delete(name);
      this.#problems.delete(name);
      return { requeueAfter: CHECK_INTERVAL };
    }
    const attempts = (this.#failures.get(name) ?? 0) + 1;
    this.#failures.set(name, attempts);
    const delay = retryDelay(verdict, attempts, random());
    const asked = verdict.retryAfter ?? 0;
    return { requeueAfter: verdict.retryable ? Math.min(delay, Math.max(asked, MAX_OUTAGE_PAUSE)) : delay };
  }

  async #tryCredentials(
    account: RegistryAccount,
    signal: AbortSignal,
  ): Promise<{ verdict: Verdict; changed: boolean }> {
    const { secrets, sessions, directory, operatorNamespace } = this.#options;
    const secretName = account.spec.credentialsSecretRef?.name;
    let secret: SecretObject | undefined;
    try {
      secret =
        secretName === undefined
          ? undefined
          : await secrets.read({ namespace: operatorNamespace, name: secretName }, signal);
    } catch (error) {
      if (!(error instanceof KubeError && error.isForbidden)) throw error;
      const message = `credentials Secret ${operatorNamespace}/${secretName} can't be read: ${error.message}; let the operator get Secrets in its own namespace`;
      const forbidden: Failure = { reason: 'CredentialsNotFound', message, retryable: false };
      const unread = `${account.metadata.uid}/${account.metadata.generation}/forbidden`;
      return { verdict: forbidden, changed: sessions.update(account, unread, undefined, message, undefined) };
    }
    const version = `${account.metadata.uid}/${account.metadata.generation}/${secret?.metadata.uid}/${secret?.metadata.resourceVersion}`;
    const credentials = readCredentials(account, secret, secretName && `${operatorNamespace}/${secretName}`);
    if ('reason' in credentials) {
      const changed = sessions.update(account, version, undefined, credentials.message, undefined);
      return { verdict: credentials, changed };
    }
    for (const value of credentials.secrets) this.#options.protect(value);
    const usable = credentialsOf(account, credentials);
    let verdict: Verdict;
    try {
      verdict = await directory.verify(usable, signal);
    } catch (error) {
      verdict = failureOf(error);
    }
    if ('identity' in verdict) verdict = this.#ofAnother(account, verdict.identity) ?? verdict;
    const fails = 'reason' in verdict;
    // To the credentials of another the tokens there are would seem gone: none is used before it is known whose they are.
    const isToUse = !fails || account.status?.provider === undefined || sessions.uses(account, version);
    const problem = 'reason' in verdict ? this.#inStableWords(account, version, verdict) : undefined;
    const identity = 'identity' in verdict ? verdict.identity : undefined;
    const changed = sessions.update(account, version, isToUse ? credentials : undefined, problem, identity);
    return { verdict, changed };
  }

  /** What is the matter, for those who wait for the account: messages of a registry differ at each try in times and request ids. */
  #inStableWords({ metadata }: RegistryAccount, version: string, { reason, message }: Failure): string {
    const cause = `${reason} ${version}`;
    const before = this.#problems.get(metadata.name);
    if (before?.cause === cause) return before.message;
    const words = message.replaceAll(/ \(request [^)]*\)/g, '');
    this.#problems.set(metadata.name, { cause, message: words });
    return words;
  }

  /** Once, of an account that was there. The RegistryTokens that are left say so themselves, each to its owner. */
  #tellDeletion(name: string): void {
    if (!this.#known.delete(name)) return;
    const { logger, tokensOf } = this.#options;
    const tokens = tokensOf(name).length;
    if (tokens === 0) return;
    logger.warn(
      { account: name, tokens },
      'RegistryAccount deleted while RegistryTokens refer to it: their tokens are neither rotated nor revoked before it exists again',
    );
  }

  /** Says so, if the credentials are another's than the tokens there are, and nobody said that they are to be. */
  #ofAnother(account: RegistryAccount, identity: string): Failure | undefined {
    const provider = providerOf(account.spec);
    const { name, identity: recorded } = account.status?.provider ?? {};
    if (recorded === undefined || recorded === identity) return undefined;
    if (name !== provider?.name || provider?.identity === identity) return undefined;
    const { tokensOf, unreadable } = this.#options;
    const issueAt: IssueAt = (issued) =>
      issued.account === account.metadata.name ? provider?.capabilities.issue : undefined;
    const holdsTokens = (status: RegistryTokenStatus): boolean =>
      placesOf({ status: withTrueEnding(status, issueAt) }).length > 0;
    const holds =
      unreadable() || tokensOf(account.metadata.name).some(({ status = {} }) => holdsTokens(status));
    if (!holds && (account.status?.retainedTokens ?? []).length === 0) return undefined;
    const field = provider?.identityField;
    const otherwise = field === undefined ? '' : `, or set ${field} to ${identity} to give those tokens up`;
    return {
      reason: 'CredentialsInvalid',
      message: `the credentials belong to account ${identity}, but there are tokens of account ${recorded}; put credentials of that account there${otherwise}`,
      retryable: false,
    };
  }

  /** That the account names a host which Secrets can't have is an event when it begins. */
  #tellHosts(account: RegistryAccount, remarks: readonly string[]): void {
    const { events, logger } = this.#options;
    const { uid, name } = account.metadata;
    const [remark] = remarks;
    if (remark === undefined) this.#toldHosts.delete(uid);
    if (remark === undefined || this.#toldHosts.has(uid)) return;
    this.#toldHosts.add(uid);
    logger.warn({ account: name, reason: 'HostNotAccepted' }, remark);
    events.event(account, 'Warning', 'HostNotAccepted', remark);
  }

  async #writeStatus(account: RegistryAccount, verdict: Verdict, signal: AbortSignal): Promise<void> {
    const { client, clock, logger, events, sessions, sweep, tokensOf } = this.#options;
    const { name } = account.metadata;
    const tokens = tokensOf(name);
    const remarks = pendingRemarks(tokens.map((token) => token.status));
    const provider = providerOf(account.spec);
    const ready = readyCondition(account, provider, verdict, remarks);
    const rotation = rotationProgress(account, tokens);
    const { rotation: _, readySince: __, orphans, lastSweepTime, ...rest } = account.status ?? {};
    const changedAt = sessions.changedAt(name);
    const works = ready.status === 'True';
    const next: RegistryAccountStatus = {
      ...rest,
      ...(works && changedAt !== undefined ? { readySince: toTime(changedAt) } : {}),
      ...('identity' in verdict && provider
        ? { provider: { name: provider.name, identity: verdict.identity } }
        : {}),
      tokens: tokens.length,
      ...(rotation ? { rotation } : {}),
      ...(sweep === 'off' || orphans === undefined ? {} : { orphans }),
      ...(sweep === 'off' || lastSweepTime === undefined ? {} : { lastSweepTime }),
    };
    const now = toTime(clock.now());
    const conditioned = withConditions(account, next, [ready], now);
    const status =
      sweep === 'off' ? withCondition(conditioned, 'ClusterIdConflict', undefined, now) : conditioned;
    this.#tellHosts(account, remarks);
    if (isDeepStrictEqual(status, account.status)) return;
    if (account.status?.reason !== status.reason) {
      logger[works ? 'info' : 'warn']({ account: name, reason: ready.reason }, ready.message);
      events.event(account, works ? 'Normal' : 'Warning', ready.reason, ready.message);
    }
    await guardedPatch(client, REGISTRY_ACCOUNTS, account, [{ path: '/status', value: status }], {
      subresource: 'status',
      signal,
    });
  }
}

/** What an account is to be used with, or what is wrong with it. @param name of the Secret, if it names one */
function readCredentials(
  { spec }: RegistryAccount,
  secret: SecretObject | undefined,
  name: string | undefined,
): Credentials | Failure {
  const fault = accountFault(spec) ?? providerFault(spec) ?? providerOf(spec)?.fault;
  if (fault !== undefined) return { reason: 'InvalidSpec', message: fault, retryable: false };
  const data = name === undefined ? undefined : dataOf(secret);
  const read = providerOf(spec)?.readCredentials(data) ?? { problem: '' };
  if (!('problem' in read)) return read;
  const reason: Reason = secret ? 'CredentialsInvalid' : 'CredentialsNotFound';
  const flaw = secret ? 'is not complete' : 'is not there; create it';
  const where =
    name === undefined ? 'spec names no credentials Secret' : `credentials Secret ${name} ${flaw}`;
  return { reason, message: `${where}: ${read.problem}`, retryable: false };
}

function dataOf({ data = {} }: Partial<SecretObject> = {}): CredentialsData {
  const texts = Object.entries(data).map(
    ([key, value]) => [key, Buffer.from(value, 'base64').toString().trim()] as const,
  );
  return new Map(texts.flatMap(([key, text]) => (text === '' ? [] : [[key, new Redacted(text)]])));
}

/** As the CRD's CEL rule has it, which API servers older than 1.25 drop. */
function providerFault(spec: RegistryAccount['spec']): string | undefined {
  const names = namedProviders(spec);
  if (names.length === 1) return undefined;
  const given = names.length === 0 ? 'none' : names.join(' and ');
  return `spec takes exactly one of ${PROVIDER_NAMES.join(', ')}; it has ${given}`;
}

function readyCondition(
  account: RegistryAccount,
  provider: Provider | undefined,
  verdict: Verdict,
  hosts: readonly string[],
): ConditionUpdate {
  const problem = 'reason' in verdict ? verdict : provider && nothingAllowed(account, provider);
  if (problem) return { type: 'Ready', status: 'False', reason: problem.reason, message: problem.message };
  const { identity = '', remark } = 'identity' in verdict ? verdict : {};
  const remarks = [remark, provider && regionRemark(account, provider), ...hosts];
  return {
    type: 'Ready',
    status: 'True',
    reason: 'CredentialsAccepted',
    message: [
      `the credentials work for account ${identity}`,
      ...remarks.filter((text) => text !== undefined),
    ].join('; '),
  };
}

/** That the region of those that name none does not exist. */
function regionRemark(
  { spec }: RegistryAccount,
  { places: { defaultRegion, all, resolve } }: Provider,
): string | undefined {
  if (defaultRegion === undefined) return undefined;
  const name = spec.defaultRegion || defaultRegion;
  if (resolve(name)) return undefined;
  const names = all.map(({ region }) => region).join(', ');
  return `its defaultRegion ${name} is none of its regions (${names || 'none'}), so RegistryTokens have to name one`;
}
