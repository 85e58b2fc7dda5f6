import { isDeepStrictEqual } from 'node:util';
import { withCondition, withConditions } from '../../api/conditions.ts';
import type { RegistryAccount, RegistryAccountStatus } from '../../api/registry-account.ts';
import { toTime } from '../../api/syntax/time.ts';
import { REGISTRY_ACCOUNTS } from '../../api/resources.ts';
import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import type { KubeClient } from '../../kube/client/client.ts';
import type { EventRecorder } from '../../kube/events/event-recorder.ts';
import type { ReconcileResult } from '../../kube/queue/worker-pool.ts';
import { providerOf } from '../../registry/backends.ts';
import { rotationProgress } from '../../token/decide/account-rotation.ts';
import { retryDelay } from '../../token/lifecycle/failure.ts';
import { pendingRemarks } from '../../token/lifecycle/pending-host.ts';
import { guardedPatch } from '../shared/guarded-patch.ts';
import { readyCondition, type Verdict } from './account-condition.ts';
import { CredentialsCheck, type CredentialsCheckOptions } from './credentials-check.ts';

/** One that can't be tried is asked this often at least, in milliseconds: RegistryTokens wait for it. */
const MAX_OUTAGE_PAUSE = 60_000;
/** A working account is looked at again after this long: its key may have been revoked. */
const CHECK_INTERVAL = 900_000;

export interface AccountControllerOptions extends CredentialsCheckOptions {
  account: (name: string) => RegistryAccount | undefined;
  client: KubeClient;
  events: EventRecorder;
  logger: Logger;
  clock: Clock;
  random: () => number;
  /** Where it is off, nobody counts orphans: the status is not to go on saying how many there were. */
  sweep: 'revoke' | 'report' | 'off';
  /** Called when an account began or ceased to work, or works with other credentials. */
  onChange: (account: string) => void;
}

/**
 * Keeps each RegistryAccount's credentials in use: reads them from the operator's namespace, tries them, and says in the
 * account's Ready condition whether they work.
 */
export class AccountController {
  readonly #options: AccountControllerOptions;
  readonly #credentials: CredentialsCheck;
  readonly #failures = new Map<string, number>();
  /** Accounts that were there when they were last looked at. */
  readonly #known = new Set<string>();
  /** Of accounts that name a host which Secrets can't have: whether that was told. */
  readonly #toldHosts = new Set<string>();

  constructor(options: AccountControllerOptions) {
    this.#options = options;
    this.#credentials = new CredentialsCheck(options);
  }

  /** @throws KubeError when the API server does not let it finish; to be tried again with backoff */
  async reconcile(name: string, signal: AbortSignal): Promise<ReconcileResult> {
    const { sessions, random, onChange } = this.#options;
    const account = this.#options.account(name);
    if (!account || account.metadata.deletionTimestamp !== undefined) {
      this.#tellDeletion(name);
      sessions.forget(name);
      this.#failures.delete(name);
      this.#credentials.forgetProblem(name);
      onChange(name);
      return undefined;
    }
    this.#known.add(name);
    const { verdict, changed } = await this.#credentials.check(account, signal);
    if (changed) onChange(name);
    await this.#writeStatus(account, verdict, signal);
    if (!('reason' in verdict)) {
      this.#failures.delete(name);
      this.#credentials.forgetProblem(name);
      return { requeueAfter: CHECK_INTERVAL };
    }
    const attempts = (this.#failures.get(name) ?? 0) + 1;
    this.#failures.set(name, attempts);
    const delay = retryDelay(verdict, attempts, random());
    const asked = verdict.retryAfter ?? 0;
    return { requeueAfter: verdict.retryable ? Math.min(delay, Math.max(asked, MAX_OUTAGE_PAUSE)) : delay };
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
