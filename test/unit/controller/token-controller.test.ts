import { expect } from 'chai';
import type { ConditionUpdate } from '../../../src/api/conditions.ts';
import type { RegistryToken, RegistryTokenStatus } from '../../../src/api/registry-token.ts';
import { OutageWaiters } from '../../../src/controller/shared/outage-waiters.ts';
import type { Assessment } from '../../../src/controller/token/assessor.ts';
import { Conclusion, type ConclusionOptions } from '../../../src/controller/token/conclusion.ts';
import { Executor, type ExecutorOptions } from '../../../src/controller/token/executor.ts';
import { NONE_LEFT, type LeftSecrets } from '../../../src/controller/token/former-secrets.ts';
import { Memory } from '../../../src/controller/token/memory.ts';
import {
  TokenController,
  type TokenControllerOptions,
} from '../../../src/controller/token/token-controller.ts';
import { KubeError } from '../../../src/kube/client/errors.ts';
import type { ReconcileResult } from '../../../src/kube/queue/worker-pool.ts';
import { decide } from '../../../src/token/decide/decision.ts';
import {
  ABSENT,
  anIntent,
  anIssuedToken,
  aPrevious,
  aRecord,
  aSituation,
  at,
  DAY,
  HOUR,
  ISSUED,
  ours,
  type Part,
} from '../../support/builders.ts';

const OPEN = { mintIntent: anIntent() };
const NOW = ISSUED + HOUR;

interface Stage {
  /** As stored. */
  status: RegistryTokenStatus;
  /** As the watch last saw it; the same unless told. */
  watched?: Part<RegistryTokenStatus>;
  /** Token that the Secret holds; undefined: there is none. */
  holds: string | undefined;
  /** Ends the open mint with this status; undefined: the registry can't be asked. */
  settled?: RegistryTokenStatus;
  now?: number;
  /** Secrets of former names that stay for now. */
  left?: LeftSecrets;
  generation?: number;
  memory?: Memory;
}

interface Result {
  result: ReconcileResult;
  held: string[];
  /** How often it was told that the Secret has become good. */
  good: number;
  /** Tokens created. */
  minted: number;
  /** Reasons of the Ready conditions that were written. */
  said: string[];
}

/** Reconciles one RegistryToken once. */
async function reconcile(stage: Stage): Promise<Result> {
  const { status, watched = status, holds, settled, now = NOW, left = NONE_LEFT } = stage;
  const { generation = 1, memory = new Memory() } = stage;
  const token = anIssuedToken({ metadata: { generation }, status });
  const cached = anIssuedToken({ metadata: { generation }, status: watched });
  const secret = holds === undefined ? ABSENT : ours({ holds });
  const assess = (of: RegistryToken): Promise<Assessment> => {
    const situation = { ...aSituation({ secret, now }), token: of };
    const { spec, wanted } = situation;
    return Promise.resolve({ spec, wanted, secret, situation, decision: decide(situation) });
  };
  let held: string[] = [];
  let good = 0;
  let minted = 0;
  const said: string[] = [];
  const failure = { reason: 'RegistryUnavailable', message: 'no answer', retryable: true } as const;
  const outcome = settled ? { kind: 'done' } : { kind: 'failed', failure };
  const nothing = (): void => undefined;
  const options = {
    sources: { token: () => cached },
    tokens: {
      freshest: () => cached,
      read: () => Promise.resolve(token),
      forget: nothing,
    },
    statuses: {
      write: (before: RegistryToken, _: unknown, updates: readonly ConditionUpdate[]) => {
        const ready = updates.find(({ type }) => type === 'Ready');
        said.push(ready?.reason ?? '');
        return Promise.resolve({ ...before });
      },
    },
    memory,
    assessor: { assess },
    issuer: {
      issue: () => {
        minted++;
        return Promise.resolve({ token, status: token.status, outcome, secretHolds: true });
      },
      settle: () =>
        Promise.resolve({
          token,
          status: settled ?? token.status,
          outcome,
          secretHolds: settled !== undefined,
        }),
    },
    revoker: {
      revokeDue: (_: unknown, next: RegistryTokenStatus, ids: ReadonlySet<string>) => {
        held = [...ids];
        return Promise.resolve({ status: next, waiting: [] });
      },
    },
    formerSecrets: { remove: () => Promise.resolve(left), held: () => [] },
    linker: { problems: () => [], holds: () => false },
    onGood: () => void good++,
    podCounts: () => 'off',
    tryNow: nothing,
    tryAccount: nothing,
    waiters: new OutageWaiters(nothing),
    sessions: { moment: () => ({ now, registryNow: now }) },
    clock: { now: () => now, monotonic: () => 0, after: () => nothing },
  };
  const executor = new Executor(options as unknown as ExecutorOptions);
  const conclusion = new Conclusion(options as unknown as ConclusionOptions);
  const parts = { ...options, executor, conclusion } as unknown as TokenControllerOptions;
  const controller = new TokenController(parts);
  const result = await controller.reconcile({ namespace: 'team', name: 'app' }, new AbortController().signal);
  return { result, held, good, minted, said };
}

describe('a reconcile that finishes an earlier mint', () => {
  it('is followed by another soon: what was asked for meanwhile has not been looked at', async () => {
    const { status } = anIssuedToken();
    const { result } = await reconcile({ status: OPEN, holds: 'token-1', settled: status ?? {} });
    expect(result).to.deep.equal({ requeueAfter: 1_000 });
  });
});

describe('a reconcile that the watch would have create a token', () => {
  const { status = {} } = anIssuedToken();
  it('does, if nothing has changed since', async () => {
    const without = { ...status, token: undefined } as unknown as RegistryTokenStatus;
    expect(await reconcile({ status: without, holds: 'token-1' })).to.include({ minted: 1 });
  });

  it('creates none where one has come since: it decides again from what is there now', async () => {
    const stage = { status, watched: { token: undefined }, holds: 'token-1' };
    expect(await reconcile(stage)).to.include({ minted: 0 });
  });
});

describe('a RegistryToken whose token has expired', () => {
  const { status = {} } = anIssuedToken();
  const expired = { status, holds: 'token-1', now: ISSUED + 25 * HOUR };

  it('says so and goes to the end of the line before another is issued, once', async () => {
    const memory = new Memory();
    const first = await reconcile({ ...expired, memory });
    expect(first).to.deep.include({ result: { requeueAfter: 0 }, minted: 0, said: ['Rotating'] });
    expect(await reconcile({ ...expired, memory })).to.include({ minted: 1 });
  });

  it('gets another at once where someone has just changed it: its change is still to be looked at', async () => {
    expect(await reconcile({ ...expired, generation: 2 })).to.include({ minted: 1 });
  });
});

describe('a RegistryToken whose token is alive', () => {
  it('gets another without a word before', async () => {
    const { status = {} } = anIssuedToken();
    const renewal = { status, holds: 'token-1', now: ISSUED + 23 * HOUR };
    expect(await reconcile(renewal)).to.deep.include({ minted: 1, said: ['Issued'] });
  });
});

describe('a reconcile that leaves a Secret of a former name', () => {
  it('is followed by another soon, and spares what that Secret holds', async () => {
    const { status = {} } = anIssuedToken();
    const left = { held: ['token-0'], lookAfter: 1_000 };
    const { result, held } = await reconcile({ status, holds: 'token-1', left });
    expect(result).to.deep.equal({ requeueAfter: 1_000 });
    expect(held).to.deep.equal(['token-0']);
  });
});

describe('a reconcile that can not finish an earlier mint', () => {
  const stray = aPrevious({ id: 'stray', revision: 2, revokeAt: at(0) });

  it('spares a token that the Secret holds', async () => {
    const { held } = await reconcile({ status: { ...OPEN, previousTokens: [stray] }, holds: 'stray' });
    expect(held).to.deep.equal(['stray']);
  });

  it('does not come back for it over and over', async () => {
    const { result } = await reconcile({ status: { ...OPEN, previousTokens: [stray] }, holds: 'stray' });
    expect(result?.requeueAfter).to.be.at.least(1_000);
  });
});

describe('a Secret', () => {
  const { status = {} } = anIssuedToken();
  const rotated = { ...status, token: aRecord({ id: 'token-2', revision: 2, expiresAt: at(2 * DAY) }) };
  const renewal = { ...OPEN, ...status };
  const cases: [what: string, stage: Stage, good: number][] = [
    [
      'that is written for the first time has become good',
      { status: OPEN, holds: undefined, settled: status },
      1,
    ],
    ['that was missing has become good', { status: renewal, holds: undefined, settled: rotated }, 1],
    [
      'whose token had expired has become good',
      { status: renewal, holds: 'token-1', settled: rotated, now: ISSUED + 25 * HOUR },
      1,
    ],
    ['that somebody had changed has become good', { status: renewal, holds: 'another', settled: rotated }, 1],
    [
      'whose live token is replaced was good before',
      { status: renewal, holds: 'token-1', settled: rotated },
      0,
    ],
    [
      'whose live token is replaced by another kind was good before, though the RegistryToken was not Ready',
      {
        status: { ...renewal, token: aRecord({ specHash: 'of another access' }) },
        holds: 'token-1',
        settled: rotated,
      },
      0,
    ],
    [
      'that got the successor of a live token before the status could say so was good before',
      { status: renewal, holds: 'token-2', settled: rotated },
      0,
    ],
    [
      'that got a token which is not wanted any more, before the status could say so, was good before',
      {
        status: renewal,
        holds: 'token-2',
        settled: {
          ...rotated,
          token: aRecord({ id: 'token-3', revision: 3, expiresAt: at(2 * DAY) }),
          previousTokens: [aPrevious({ id: 'token-2', revision: 2 })],
        },
      },
      0,
    ],
    [
      'that holds a previous token which still lives was good before',
      {
        status: { ...renewal, previousTokens: [aPrevious({ id: 'token-0', expiresAt: at(DAY) })] },
        holds: 'token-0',
        settled: rotated,
      },
      0,
    ],
    [
      'that got the successor of an expired token before the status could say so has become good',
      { status: renewal, holds: 'token-2', settled: rotated, now: ISSUED + 25 * HOUR },
      1,
    ],
    [
      'that got the successor of a lost token before the status could say so has become good',
      {
        status: { ...renewal, mintIntent: { ...OPEN.mintIntent, reason: 'TokenLost' } },
        holds: 'token-2',
        settled: rotated,
      },
      1,
    ],
    ['that is as it should be was good before', { status, holds: 'token-1' }, 0],
    ['that stays missing has not become good', { status: renewal, holds: undefined }, 0],
  ];
  for (const [what, stage, expected] of cases)
    it(what, async () => {
      expect((await reconcile(stage)).good).to.equal(expected);
    });
});

describe('a reconcile', () => {
  const SIGNAL = new AbortController().signal;
  const NAME = { namespace: 'team', name: 'app' };
  const conflict = new KubeError('changed meanwhile', { status: 409 });
  const notFound = new KubeError('not found', { status: 404 });

  /** A controller that can do nothing but read the RegistryToken and put its finalizer back. */
  function aController(token: RegistryToken, live: RegistryToken | undefined): TokenController {
    return new TokenController({
      sources: { token: () => token },
      tokens: {
        freshest: () => token,
        read: () => Promise.resolve(live),
        addFinalizer: ({ metadata }: RegistryToken) =>
          Promise.reject(metadata.finalizers ? new Error('it has one') : conflict),
      },
      assessor: { assess: () => Promise.reject(notFound) },
      finalizer: { finalize: () => Promise.reject(notFound) },
      waiters: new OutageWaiters(() => undefined),
    } as unknown as TokenControllerOptions);
  }
  const outcome = (token: RegistryToken, live: RegistryToken | undefined): Promise<unknown> =>
    aController(token, live)
      .reconcile(NAME, SIGNAL)
      .catch((error: unknown) => error);
  const whole = anIssuedToken();
  const bare = anIssuedToken({ metadata: { finalizers: undefined } });
  const deleted = anIssuedToken({ metadata: { deletionTimestamp: at(0) } });

  it('puts a finalizer back that was taken off, before anything else', async () => {
    expect(await outcome(bare, bare)).to.equal(conflict);
  });
  it('puts none back that is there by now, nor on what is being deleted', async () => {
    expect(await outcome(bare, whole)).to.equal(notFound);
    expect(await outcome(bare, deleted)).to.equal(notFound);
  });
  it('of a RegistryToken that goes meanwhile is no failure', async () => {
    for (const token of [whole, bare, deleted])
      expect(await outcome(token, undefined)).to.deep.equal({ requeueAfter: 5_000 });
  });
  it('fails where something else is missing', async () => {
    expect(await outcome(whole, whole)).to.equal(notFound);
  });
});
