import { expect } from 'chai';
import { FINALIZER } from '../../../src/api/names.ts';
import type { MintIntent, RegistryToken, RegistryTokenStatus } from '../../../src/api/registry-token.ts';
import { Redacted } from '../../../src/common/redacted.ts';
import { Issuer, type IssuerOptions } from '../../../src/controller/token/issuer.ts';
import type { Settlement } from '../../../src/controller/token/minter.ts';
import type { Progress, Task } from '../../../src/controller/token/progress.ts';
import { KubeError } from '../../../src/kube/client/errors.ts';
import { RegistryError, type RegistryErrorCode } from '../../../src/registry/errors.ts';
import { StatusWriter } from '../../../src/controller/token/status-writer.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { Logs } from '../kube/support/logs.ts';
import type { IssuedToken } from '../../../src/registry/port.ts';
import type { Failure } from '../../../src/token/lifecycle/failure.ts';
import type { Credential } from '../../../src/token/secret/secret.ts';
import { situationTask } from '../../support/tasks.ts';
import {
  anIntent,
  aRecord,
  at,
  DAY,
  HOUR,
  ISSUED,
  MINUTE,
  ours,
  PLACE,
  SECOND,
} from '../../support/builders.ts';

const NOW = ISSUED + 20 * HOUR;
const { signal } = new AbortController();
const REVISION = 2;
const NEW: IssuedToken = {
  id: 'token-2',
  username: 'token',
  value: new Redacted('another-secret-value'),
  expiresAt: NOW + DAY,
};
const RENEWAL = { action: 'mint', reason: 'RenewalDue', message: 'due', place: PLACE } as const;
const FAILURE: Failure = { reason: 'TokenRefused', message: 'not accepted', retryable: false };

/** What the issuer works with, each answering as told, and what it did with them, in order. */
class Stage {
  readonly did: string[] = [];
  /** Hosts that Secrets were written with. */
  readonly hosts: string[] = [];
  readonly written: RegistryTokenStatus[] = [];
  readonly events: string[] = [];
  /** Regions of requests that were given up. */
  readonly lost: string[] = [];
  readonly reported: Failure[] = [];
  readonly forgotten: string[] = [];
  ruling: unknown = { action: 'use', doubt: undefined };
  placed: unknown = { secretRef: { name: 'app', uid: 'secret-uid' } };
  minting: () => Promise<IssuedToken> = () => Promise.resolve(NEW);
  settling: () => Promise<Settlement> = () => expect.fail('nothing is to be settled');
  skew = 0;
  /** The highest revision known to be at the registry, and whether that was to be asked for. */
  listed = 0;
  askedForRevisions = false;
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
      minter: {
        mint: (_: RegistryToken, __: unknown, intent: MintIntent) => {
          did.push(`mint ${intent.revision}`);
          return this.minting();
        },
        settle: () => this.settling(),
        highestRevision: (_: string, __: unknown, isToAsk: boolean) => {
          this.askedForRevisions = isToAsk;
          return Promise.resolve(this.listed);
        },
      },
      random: () => 0,
      verifier: {
        verify: (_: string, __: MintIntent, { id }: IssuedToken) => {
          did.push(`try ${id}`);
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
      logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
      clock: { now: () => NOW },
      mintBudget: 5,
      defaultGracePeriod: HOUR,
      skew: () => this.skew,
      onUnauthorized: (account: string) => void did.push(`unauthorized ${account}`),
      onLost: ({ region }: MintIntent) => void this.lost.push(region),
    } as unknown as IssuerOptions);
  }

  async mint(task = situationTask({ now: NOW })): Promise<Progress> {
    return this.#note(await this.issuer.mint(task, RENEWAL, signal));
  }

  #note<T extends object>(ended: T): T {
    const { outcome } = ended as Partial<Progress>;
    if (outcome?.kind === 'failed') this.reported.push(outcome.failure);
    return ended;
  }

  async settle(
    settlement: Settlement | RegistryError,
    intent = anIntent({ startedAt: at(20 * HOUR - MINUTE) }),
    stranded = false,
    secret = ours(),
  ) {
    this.settling = () =>
      settlement instanceof Error ? Promise.reject(settlement) : Promise.resolve(settlement);
    const task = situationTask({ now: NOW, token: { status: { mintIntent: intent } }, secret });
    return this.#note(await this.issuer.settle(task, { action: 'settle', intent, stranded }, signal));
  }
}

const found = (issued = NEW): Settlement => ({ result: 'found', issued, strays: [] });
const idsOf = ({ previousTokens = [] }: RegistryTokenStatus): string[] => previousTokens.map(({ id }) => id);
const readyOf = ({ conditions = [] }: RegistryTokenStatus) => conditions.find(({ type }) => type === 'Ready');
const reconciling = ({ conditions = [] }: RegistryTokenStatus) =>
  conditions.find(({ type }) => type === 'Reconciling');

describe('issuing a token', () => {
  let stage: Stage;
  beforeEach(() => {
    stage = new Stage();
  });

  it('takes a revision above those at the registry, and a nonce of its own', async () => {
    stage.listed = 6;
    await stage.mint();
    expect(stage.written[0]?.mintIntent).to.include({ revision: 7, nonce: '00000000' });
    expect(stage.askedForRevisions).to.equal(false);
  });

  it('asks the registry for its revisions where the Secret holds a token that the status does not name', async () => {
    const task = situationTask({ now: NOW });
    await stage.mint({ ...task, status: {} });
    expect(stage.askedForRevisions).to.equal(true);
  });

  it('has its effects in the order in which a crash between any two of them is harmless', async () => {
    await stage.mint();
    expect(stage.did).to.deep.equal([
      'finalizer',
      'intent',
      `mint ${REVISION}`,
      'counted RenewalDue',
      'try token-2',
      'Secret with token-2',
    ]);
  });

  it('records as its intent what is wanted and why, and that it is under way', async () => {
    await stage.mint(
      situationTask({ now: NOW, token: { metadata: { annotations: { 'pullsecrets.dev/rotate': 'now' } } } }),
    );
    const [status = {}] = stage.written;
    expect(status.mintIntent).to.include({
      revision: REVISION,
      startedAt: at(20 * HOUR),
      reason: 'RenewalDue',
      account: 'default',
      region: 'us-south',
      access: 'ReadOnly',
      rotate: 'now',
      specHash: aRecord().specHash,
    });
    expect(status.mintIntent).to.not.have.property('accountRotation');
    expect(status.token).to.deep.equal(aRecord());
    expect(readyOf(status)).to.include({ status: 'True' });
    expect(reconciling(status)).to.include({ status: 'True', reason: 'Rotating' });
  });

  it('records the rotation of the account that it follows', async () => {
    const task = situationTask({ now: NOW });
    await stage.mint({ ...task, wanted: { ...task.wanted, accountRotation: 'leak' } });
    expect(stage.written[0]?.mintIntent).to.include({ accountRotation: 'leak' });
  });

  it('ends with the new token in force and the previous one to be revoked after the grace period', async () => {
    const { status, outcome, secretHolds } = await stage.mint();
    expect(status.token).to.deep.equal(
      aRecord({ id: 'token-2', revision: REVISION, issuedAt: at(20 * HOUR), expiresAt: at(44 * HOUR) }),
    );
    expect(status.mintIntent).to.equal(undefined);
    expect(status.secretRef).to.deep.equal({ name: 'app', uid: 'secret-uid' });
    expect(status.previousTokens?.map(({ id, revokeAt }) => [id, revokeAt])).to.deep.equal([
      ['token-1', at(21 * HOUR)],
    ]);
    expect([outcome, secretHolds]).to.deep.equal([{ kind: 'done' }, true]);
    expect(stage.events).to.deep.equal(['Normal Rotated']);
  });

  it('has the RegistryToken’s own grace period go before the default', async () => {
    const spec = { rotation: { gracePeriod: '10m' } };
    const { status } = await stage.mint(situationTask({ now: NOW, token: { spec } }));
    expect(status.previousTokens?.[0]?.revokeAt).to.equal(at(20 * HOUR + 10 * MINUTE));
  });

  it('tells of a first token as issued, not rotated', async () => {
    await stage.mint(situationTask({ now: NOW, token: { status: { token: undefined } } }));
    expect(reconciling(stage.written[0] ?? {})).to.include({ reason: 'Issuing' });
    expect(stage.events).to.deep.equal(['Normal Issued']);
  });

  it('records no expiry of a token that has none', async () => {
    stage.minting = () => Promise.resolve({ ...NEW, expiresAt: null });
    const { status } = await stage.mint();
    expect(status.token).to.not.have.property('expiresAt');
  });

  it('counts the token’s life by the registry’s clock', async () => {
    stage.skew = 2 * HOUR;
    const { status } = await stage.mint();
    expect(status.token?.issuedAt).to.equal(at(22 * HOUR));
  });

  it('uses a token of which nobody knows whether the registry accepts it, and says so', async () => {
    stage.ruling = { action: 'use', doubt: 'no answer' };
    const { status } = await stage.mint();
    expect(status.token).to.include({ id: 'token-2', unverified: 'no answer' });
    expect(stage.events).to.deep.equal(['Normal Rotated', 'Warning Unverified']);
  });

  it('keeps the host of the Secret where the one that the account names does not accept it, and tries that again', async () => {
    const keepsHost = { refused: false, message: 'ENOTFOUND' };
    stage.ruling = { action: 'use', doubt: undefined, keepsHost };
    const ended = await stage.mint();
    expect(ended.status.pendingHost).to.include({ message: 'ENOTFOUND' });
    expect(ended.outcome).to.include({ kind: 'held', reason: 'HostNotAccepted' });
    expect(ended).to.include({ secretHolds: true, until: NOW + MINUTE });
  });

  it('keeps the host of the Secret also where the status names another, which can be older', async () => {
    stage.ruling = { action: 'use', doubt: undefined, keepsHost: { refused: false, message: 'ENOTFOUND' } };
    await stage.mint(situationTask({ now: NOW, secret: ours({ host: 'placed.example' }) }));
    expect(stage.hosts).to.deep.equal(['placed.example']);
  });
});

describe('a new token that is of no use', () => {
  let stage: Stage;
  beforeEach(() => {
    stage = new Stage();
  });

  /** It never got into the Secret, is to be revoked, and its revision is not used again. */
  async function isRefused(): Promise<void> {
    const { status, outcome } = await stage.mint();
    expect(stage.did).to.not.include('Secret with token-2');
    expect(status.token).to.include({ id: 'token-1' });
    expect(idsOf(status)).to.deep.equal(['token-2']);
    expect(status.previousTokens?.[0]).to.include({
      revision: REVISION,
      account: 'default',
      region: 'us-south',
    });
    expect(status.mintIntent).to.include({ revision: REVISION });
    expect(stage.forgotten).to.have.length(1);
    expect(outcome.kind).to.equal('failed');
    expect(stage.events).to.deep.equal([]);
  }

  it('since the registry refuses it is revoked, and the previous one stays', async () => {
    stage.ruling = { action: 'refuse', failure: FAILURE };
    await isRefused();
    expect(stage.reported).to.deep.equal([FAILURE]);
  });

  it('since it had expired when it came is not even tried', async () => {
    stage.minting = () => Promise.resolve({ ...NEW, expiresAt: NOW });
    await isRefused();
    expect(stage.did).to.not.include('try token-2');
    expect(stage.reported[0]).to.include({ reason: 'ClockSkew' });
  });

  it('yet waits: it is tried again later, and nothing else happens until then', async () => {
    stage.ruling = { action: 'wait', refusal: 'not yet', message: 'not yet', until: NOW + SECOND };
    const { status, outcome, until } = await stage.mint();
    expect(stage.did).to.not.include('Secret with token-2');
    expect(status.mintIntent).to.include({ revision: REVISION, phase: 'Verifying' });
    expect(status.token).to.include({ id: 'token-1' });
    expect(outcome).to.include({ kind: 'held', reason: 'Verifying' });
    expect(until).to.equal(NOW + SECOND);
    expect(stage.reported).to.deep.equal([]);
  });
});

describe('a Secret that can not be written with a new token', () => {
  it('for a reason that people must see leaves the intent, so that the token is used once it can', async () => {
    const stage = new Stage();
    const failure = { reason: 'SecretNotWritten', message: 'exceeded quota', retryable: true };
    stage.placed = { failure, secret: { state: 'absent' } };
    const { status } = await stage.mint();
    expect(stage.reported).to.deep.equal([failure]);
    expect(status.mintIntent).to.include({ revision: REVISION });
    expect(status.token).to.include({ id: 'token-1' });
    expect(stage.events).to.deep.equal([]);
  });

  it('for a passing reason ends the reconcile', async () => {
    const stage = new Stage();
    stage.placed = new KubeError('down', { status: 503 });
    const error: unknown = await stage.mint().catch((e: unknown) => e);
    expect(error).to.equal(stage.placed);
  });
});

describe('a mint that fails', () => {
  const cases: [code: RegistryErrorCode, intentStays: boolean, unauthorized: boolean][] = [
    ['Ambiguous', true, false],
    ['Unauthorized', false, true],
    ['RateLimited', false, false],
    ['InvalidRequest', false, false],
  ];
  for (const [code, intentStays, unauthorized] of cases) {
    it(`with ${code} ${intentStays ? 'keeps' : 'withdraws'} its intent${unauthorized ? ' and has the account checked' : ''}`, async () => {
      const stage = new Stage();
      stage.minting = () => Promise.reject(new RegistryError(code, 'why'));
      const { status, outcome } = await stage.mint();
      expect(status.mintIntent?.phase).to.equal(intentStays ? 'Unconfirmed' : undefined);
      expect(outcome.kind).to.equal('failed');
      expect(stage.did.includes('unauthorized default')).to.equal(unauthorized);
      expect(stage.did.filter((what) => what.startsWith('counted'))).to.deep.equal([]);
    });
  }
});

describe('a Secret whose token is gone from the registry', () => {
  const GONE = { now: NOW, tokenIsGone: true };
  let stage: Stage;
  beforeEach(() => {
    stage = new Stage();
  });

  it('is not told as Ready while another token is issued', async () => {
    await stage.mint(situationTask(GONE));
    expect(readyOf(stage.written[0] ?? {})).to.include({ status: 'False', reason: 'Rotating' });
  });

  const UNSENT = new RegistryError('Unavailable', 'down', { unsent: true });
  const failures: [what: string, fail: (stage: Stage) => void][] = [
    ['the mint fails', (s) => void (s.minting = () => Promise.reject(new RegistryError('Ambiguous', 'why')))],
    ['the mint is not sent', (s) => void (s.minting = () => Promise.reject(UNSENT))],
    ['the new token is refused', (s) => void (s.ruling = { action: 'refuse', failure: FAILURE })],
    ['the new token is to wait', (s) => void (s.ruling = { action: 'wait', refusal: 'not yet', until: NOW })],
    [
      'the Secret can not be written',
      (s) => void (s.placed = { failure: FAILURE, secret: situationTask(GONE).secret }),
    ],
  ];
  for (const [what, fail] of failures)
    it(`is not good to pull with where ${what}`, async () => {
      fail(stage);
      expect(await stage.mint(situationTask(GONE))).to.include({ secretHolds: false });
    });

  it('is not good to pull with where what came of an earlier mint is not known yet', async () => {
    const message = 'looked for';
    stage.settling = () =>
      Promise.resolve({ result: 'pending', reason: 'MintUnconfirmed', message, until: NOW + SECOND });
    const decision = { action: 'settle', intent: anIntent(), stranded: false } as const;
    const ended = await stage.issuer.settle(situationTask(GONE), decision, signal);
    expect(ended).to.include({ secretHolds: false });
  });

  it('is good to pull with once it holds another token', async () => {
    expect(await stage.mint(situationTask(GONE))).to.include({ secretHolds: true });
  });
});

describe('settling an earlier mint', () => {
  it('that gave a token uses it, as issued when the mint began', async () => {
    const stage = new Stage();
    const ended = await stage.settle(found());
    if ('lost' in ended) expect.fail('it was not used');
    expect(ended.status.token).to.include({ id: 'token-2', issuedAt: at(20 * HOUR - MINUTE) });
    expect(ended.status.mintIntent).to.equal(undefined);
    expect(stage.did).to.deep.equal(['try token-2', 'Secret with token-2']);
  });

  it('does not write the Secret again that holds the token already, as where only the status could not be written', async () => {
    const stage = new Stage();
    const secret = ours({ holds: 'token-2' });
    const ended = await stage.settle(found(), undefined, false, secret);
    if ('lost' in ended) expect.fail('it was not used');
    expect(ended.status).to.have.nested.property('token.id', 'token-2');
    expect(stage.did).to.deep.equal(['try token-2']);
  });

  it('uses no token of another kind than is wanted by now: it is to be revoked', async () => {
    const stage = new Stage();
    const ended = await stage.settle(found(), anIntent({ specHash: 'of another access' }));
    if (!('lost' in ended)) expect.fail('it was used');
    expect(idsOf(ended.lost)).to.deep.equal(['token-2']);
    expect(stage.did).to.deep.equal([]);
  });

  it('uses no token that has expired meanwhile', async () => {
    const ended = await new Stage().settle(found({ ...NEW, expiresAt: NOW }));
    if (!('lost' in ended)) expect.fail('it was used');
    expect(idsOf(ended.lost)).to.deep.equal(['token-2']);
  });

  it('that gave nothing says so, and has its strays revoked', async () => {
    const stage = new Stage();
    const stray = { id: 'stray', revision: REVISION, account: 'default', region: 'us-south', place: PLACE };
    const ended = await stage.settle({ result: 'lost', strays: [stray] });
    if (!('lost' in ended)) expect.fail('there was nothing to use');
    expect(idsOf(ended.lost)).to.deep.equal(['stray']);
    expect(stage.lost, 'told to the sweep').to.deep.equal(['us-south']);
  });

  it('that may still give one waits', async () => {
    const until = NOW + 10 * SECOND;
    const pending = { result: 'pending', reason: 'MintUnconfirmed', message: 'not yet', until } as const;
    const ended = await new Stage().settle(pending);
    expect(ended).to.deep.include({ until, secretHolds: true });
    expect(ended).to.have.nested.property('outcome.kind', 'held');
  });

  it('at a registry that fails is reported, and the intent stays', async () => {
    const stage = new Stage();
    const ended = await stage.settle(new RegistryError('Unavailable', 'no answer'));
    if ('lost' in ended) expect.fail('nothing is known of it');
    expect(stage.reported[0]).to.include({ reason: 'RegistryUnavailable' });
    expect(ended.status.mintIntent).to.include({ revision: REVISION });
  });
});
