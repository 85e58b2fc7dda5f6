import { expect } from 'chai';
import { FINALIZER } from '../../../../src/api/names.ts';
import type {
  Lifetime,
  MintIntent,
  RegistryToken,
  RegistryTokenStatus,
} from '../../../../src/api/registry-token.ts';
import { Redacted } from '../../../../src/common/redacted.ts';
import { Issuer, type IssuerOptions } from '../../../../src/controller/token/issuer.ts';
import type { Settlement } from '../../../../src/controller/token/tagged-tokens.ts';
import type { Progress, Task } from '../../../../src/controller/token/progress.ts';
import { StatusWriter } from '../../../../src/controller/token/status-writer.ts';
import type { RegistryError } from '../../../../src/registry/errors.ts';
import type { IssuedToken } from '../../../../src/registry/port.ts';
import type { Wanted } from '../../../../src/token/decide/eligibility.ts';
import type { Failure } from '../../../../src/token/lifecycle/failure.ts';
import type { Reach } from '../../../../src/token/lifecycle/place.ts';
import type { Credential } from '../../../../src/token/secret/secret.ts';
import { anIntent, at, DAY, HOUR, ISSUED, MINUTE, PLACE } from '../../../support/builders.ts';
import { situationTask } from '../../../support/tasks.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';
import { Logs } from '../../kube/support/logs.ts';

export const NOW = ISSUED + 20 * HOUR;
const { signal } = new AbortController();
export const REVISION = 2;
export const NEW: IssuedToken = {
  id: 'token-2',
  username: 'token',
  value: new Redacted('another-secret-value'),
  expiresAt: NOW + DAY,
};
export const RENEWAL = { action: 'mint', reason: 'RenewalDue', message: 'due', place: PLACE } as const;
export const FAILURE: Failure = { reason: 'TokenRefused', message: 'not accepted', retryable: false };

/** What the issuer works with, each answering as told, and what it did with them, in order. */
export class IssueStage {
  readonly did: string[] = [];
  /** Hosts that Secrets were written with. */
  readonly hosts: string[] = [];
  /** Hosts at which tokens were tried. */
  readonly triedAt: string[] = [];
  readonly written: RegistryTokenStatus[] = [];
  readonly events: string[] = [];
  readonly logs = new Logs();
  /** Regions and scopes of requests that were given up. */
  readonly lost: string[] = [];
  /** Whether that could be written down. */
  noting = Promise.resolve();
  readonly reported: Failure[] = [];
  readonly forgotten: string[] = [];
  /** Revisions of intents whose earlier tries were taken up. */
  readonly recalled: number[] = [];
  ruling: unknown = { action: 'use', doubt: undefined };
  placed: unknown = { secretRef: { name: 'app', uid: 'secret-uid' } };
  /** How long the token that was asked for is to live. */
  requestedLifetime: Lifetime | undefined;
  minting: () => Promise<IssuedToken> = () => Promise.resolve(NEW);
  settling: () => Promise<Settlement> = () => expect.fail('nothing is to be settled');
  /** How far the clock of the builders' region is ahead; those of others are right. */
  skew = 0;
  /** The highest revision known to be at the registry, or why it is not known, and whether that was to be asked for where. */
  listed: number | RegistryError = 0;
  askedForRevisions = false;
  askedAt: unknown;
  askedIn: unknown;
  /** How the registry issues where the token before is. */
  issueAt: 'minted' | 'exchanged' | undefined;
  /** How the account leads to where an intent was begun. */
  reach: Reach = { region: 'us-south' };
  readonly issuer: Issuer;

  constructor() {
    const { did } = this;
    this.issuer = new Issuer({
      tokens: {
        addFinalizer: (token: RegistryToken) => {
          did.push('finalizer');
          return Promise.resolve({ ...token, metadata: { ...token.metadata, finalizers: [FINALIZER] } });
        },
      },
      statuses: new StatusWriter({
        tokens: {
          writeStatus: (token: RegistryToken, status: RegistryTokenStatus) => {
            did.push('intent');
            this.written.push(status);
            return Promise.resolve({ ...token, status });
          },
        },
        events: { event: () => undefined },
        logger: new Logs(),
        clock: new VirtualClock(NOW),
      }),
      tagged: {
        issue: (_: RegistryToken, intent: MintIntent, __: string, lifetime: Lifetime) => {
          did.push(`mint ${intent.revision}`);
          this.requestedLifetime = lifetime;
          return this.minting();
        },
        settle: () => this.settling(),
        highestRevision: (_: string, { place, scope }: MintIntent, isToAsk: boolean) => {
          this.askedIn = scope;
          this.askedForRevisions = isToAsk;
          this.askedAt = place;
          const { listed } = this;
          return typeof listed === 'number' ? Promise.resolve(listed) : Promise.reject(listed);
        },
      },
      random: () => 0,
      verifier: {
        recall: (_: string, { revision }: MintIntent) => void this.recalled.push(revision),
        verify: (_: string, __: MintIntent, { id }: IssuedToken, { host }: Wanted) => {
          did.push(`try ${id}`);
          this.triedAt.push(host);
          return Promise.resolve(this.ruling);
        },
      },
      secrets: {
        write: (_: Task, host: string, { tokenId }: Credential) => {
          this.hosts.push(host);
          did.push(`Secret with ${tokenId}`);
          return this.placed instanceof Error ? Promise.reject(this.placed) : Promise.resolve(this.placed);
        },
      },
      memory: {
        forgetIntent: (uid: string) => void this.forgotten.push(uid),
        noteHostTried: (_: string, __: string, now: number) => now + MINUTE,
      },
      events: {
        event: (_: unknown, type: string, reason: string) => void this.events.push(`${type} ${reason}`),
      },
      metrics: { minted: (reason: string) => void did.push(`counted ${reason}`) },
      logger: this.logs,
      clock: { now: () => NOW },
      mintBudget: 5,
      issueAt: () => this.issueAt,
      defaultGracePeriod: HOUR,
      sessions: {
        moment: ({ account, region }: MintIntent) => {
          const skew = account === 'default' && region === 'us-south' ? this.skew : 0;
          return { now: NOW, registryNow: NOW + skew };
        },
        reach: () => this.reach,
      },
      onUnauthorized: (account: string) => void did.push(`unauthorized ${account}`),
      onLost: ({ region, scope }: MintIntent) => {
        this.lost.push(scope === undefined ? region : `${region} ${scope.join()}`);
        return this.noting;
      },
    } as unknown as IssuerOptions);
  }

  async mint(task = situationTask({ now: NOW })): Promise<Progress> {
    return this.#note(await this.issuer.issue(task, RENEWAL, signal));
  }

  #note<T extends object>(ended: T): T {
    const { outcome } = ended as Partial<Progress>;
    if (outcome?.kind === 'failed') this.reported.push(outcome.failure);
    return ended;
  }

  /** Settles an intent of a minute ago. @param situation what the task is of; its open intent is added */
  async settle(
    settlement: Settlement | RegistryError,
    {
      intent = anIntent({ startedAt: at(20 * HOUR - MINUTE) }),
      stranded = false,
      ...situation
    }: { intent?: MintIntent; stranded?: boolean } & Parameters<typeof situationTask>[0] = {},
  ) {
    this.settling = () =>
      settlement instanceof Error ? Promise.reject(settlement) : Promise.resolve(settlement);
    const { token = {} } = situation;
    const status = { ...token.status, mintIntent: intent };
    const task = situationTask({ now: NOW, ...situation, token: { ...token, status } });
    return this.#note(await this.issuer.settle(task, { action: 'settle', intent, stranded }, signal));
  }

  /** As `settle`, where it ends with the token in use, or with waiting for it. */
  async settled(...how: Parameters<IssueStage['settle']>): Promise<Progress> {
    const ended = await this.settle(...how);
    if ('lost' in ended) expect.fail('the token was not used');
    return ended;
  }

  /** As `settle`, where it leaves no token to use. @returns the status so far */
  async given(...how: Parameters<IssueStage['settle']>): Promise<RegistryTokenStatus> {
    const ended = await this.settle(...how);
    return 'lost' in ended ? ended.lost : expect.fail('the token was used');
  }
}

export const found = (issued = NEW): Settlement => ({ result: 'found', issued, strays: [] });
/** Identifiers of the tokens that a status has to be revoked. */
export const idsToRevoke = ({ previousTokens = [] }: RegistryTokenStatus): string[] =>
  previousTokens.map(({ id }) => id);
