import { isDeepStrictEqual } from 'node:util';
import { withCondition, withConditions, type ConditionUpdate } from '../../api/conditions.ts';
import type { Reason } from '../../api/reasons.ts';
import {
  ACCOUNT_DEFAULTS,
  accountFault,
  API_KEY_FIELD,
  type RegistryAccount,
  type RegistryAccountStatus,
} from '../../api/registry-account.ts';
import type { RegistryToken } from '../../api/registry-token.ts';
import { toTime } from '../../api/syntax/time.ts';
import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import { Redacted } from '../../common/redacted.ts';
import type { KubeClient } from '../../kube/client/client.ts';
import type { EventRecorder } from '../../kube/events/event-recorder.ts';
import type { ReconcileResult } from '../../kube/queue/worker-pool.ts';
import { capabilitiesOf, type RegistryDirectory } from '../../registry/directory.ts';
import { Regions } from '../../registry/ibm-iam/regions.ts';
import { rotationProgress } from '../../token/decide/account-rotation.ts';
import { noLifetimeAllowed } from '../../token/decide/eligibility.ts';
import { KubeError } from '../../kube/client/errors.ts';
import { retryDelay, type Failure } from '../../token/lifecycle/failure.ts';
import { pendingRemarks } from '../../token/lifecycle/pending-host.ts';
import { placesOf } from '../../token/sweep/sweep-regions.ts';
import { credentialsOf, type AccountSessions } from './account-sessions.ts';
import { failureOf } from '../shared/failures.ts';
import { guardedPatch } from '../shared/guarded-patch.ts';
import { REGISTRY_ACCOUNTS } from '../shared/resources.ts';
import type { SecretObject, SecretStore } from '../token/secret-store.ts';

/** The registry account that the credentials belong to, or what is wrong with them. */
type Verdict = { accountId: string } | Failure;

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
    const { name: secretName } = account.spec.credentialsSecretRef;
    let secret: SecretObject | undefined;
    try {
      secret = await secrets.read({ namespace: operatorNamespace, name: secretName }, signal);
    } catch (error) {
      if (!(error instanceof KubeError && error.isForbidden)) throw error;
      const message = `credentials Secret ${operatorNamespace}/${secretName} can't be read: ${error.message}; let the operator get Secrets in its own namespace`;
      const forbidden: Failure = { reason: 'CredentialsNotFound', message, retryable: false };
      const unread = `${account.metadata.uid}/${account.metadata.generation}/forbidden`;
      return { verdict: forbidden, changed: sessions.update(account, unread, undefined, message, undefined) };
    }
    const version = `${account.metadata.uid}/${account.metadata.generation}/${secret?.metadata.uid}/${secret?.metadata.resourceVersion}`;
    const apiKey = secret && readApiKey(secret);
    const fault = accountFault(account.spec);
    if (fault !== undefined) {
      const verdict: Failure = { reason: 'InvalidSpec', message: fault, retryable: false };
      return { verdict, changed: sessions.update(account, version, undefined, fault, undefined) };
    }
    if (!apiKey) {
      const verdict = missing(secret, `${operatorNamespace}/${secretName}`);
      return { verdict, changed: sessions.update(account, version, undefined, verdict.message, undefined) };
    }
    this.#options.protect(apiKey);
    let verdict: Verdict;
    try {
      verdict = await directory.verify(credentialsOf(account, apiKey), signal);
    } catch (error) {
      verdict = failureOf(error);
    }
    if ('accountId' in verdict) verdict = this.#ofAnother(account, verdict.accountId) ?? verdict;
    const fails = 'reason' in verdict;
    // To the key of another registry account the tokens there are would seem gone: none is used before it is known whose it is.
    const usable = !fails || account.status?.accountId === undefined || sessions.uses(account, version);
    const problem = 'reason' in verdict ? this.#inStableWords(account, version, verdict) : undefined;
    const accountId = 'accountId' in verdict ? verdict.accountId : undefined;
    const changed = sessions.update(account, version, usable ? apiKey : undefined, problem, accountId);
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

  /** Says so, if the credentials are another registry account's than the tokens there are, and nobody said that they are to be. */
  #ofAnother(account: RegistryAccount, accountId: string): Failure | undefined {
    const recorded = account.status?.accountId;
    if (recorded === undefined || recorded === accountId || account.spec.accountId === accountId)
      return undefined;
    const { tokensOf, unreadable } = this.#options;
    const holds = unreadable() || tokensOf(account.metadata.name).some((token) => placesOf(token).length > 0);
    if (!holds && (account.status?.retainedTokens ?? []).length === 0) return undefined;
    return {
      reason: 'CredentialsInvalid',
      message: `the credentials belong to account ${accountId}, but there are tokens of account ${recorded}; put a key of that account there, or set spec.accountId to ${accountId} to give those tokens up`,
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
    const ready = readyCondition(account, verdict, remarks);
    const rotation = rotationProgress(account, tokens);
    const { rotation: _, readySince: __, orphans, lastSweepTime, ...rest } = account.status ?? {};
    const changedAt = sessions.changedAt(name);
    const works = ready.status === 'True';
    const next: RegistryAccountStatus = {
      ...rest,
      ...(works && changedAt !== undefined ? { readySince: toTime(changedAt) } : {}),
      ...('accountId' in verdict ? { accountId: verdict.accountId } : {}),
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

function readApiKey(secret: SecretObject): Redacted | undefined {
  const text = Buffer.from(secret.data?.[API_KEY_FIELD] ?? '', 'base64')
    .toString()
    .trim();
  return text === '' ? undefined : new Redacted(text);
}

function missing(secret: SecretObject | undefined, name: string): Failure {
  const reason: Reason = secret ? 'CredentialsInvalid' : 'CredentialsNotFound';
  const flaw = secret?.data?.[API_KEY_FIELD] === undefined ? 'has no key' : 'has an empty key';
  const message = secret
    ? `credentials Secret ${name} ${flaw} ${API_KEY_FIELD}; put the API key there`
    : `credentials Secret ${name} is not there; create it with the API key under the key ${API_KEY_FIELD}`;
  return { reason, message, retryable: false };
}

function readyCondition(
  account: RegistryAccount,
  verdict: Verdict,
  hosts: readonly string[],
): ConditionUpdate {
  const { defaultRegion = ACCOUNT_DEFAULTS.defaultRegion } = account.spec;
  const regions = new Regions(account.spec);
  const remarks = regions.find(defaultRegion)
    ? hosts
    : [
        `its defaultRegion ${defaultRegion} is none of its regions (${regions.names.join(', ') || 'none'}), so RegistryTokens have to name one`,
        ...hosts,
      ];
  const problem =
    'reason' in verdict ? verdict : noLifetimeAllowed(account, capabilitiesOf(account.spec.provider));
  return problem
    ? { type: 'Ready', status: 'False', reason: problem.reason, message: problem.message }
    : {
        type: 'Ready',
        status: 'True',
        reason: 'CredentialsAccepted',
        message: [
          `the credentials work for account ${'accountId' in verdict ? verdict.accountId : ''}`,
          ...remarks,
        ].join('; '),
      };
}
