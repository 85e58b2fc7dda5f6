import { expect } from 'chai';
import type { RegistryTokenStatus } from '../../../src/api/registry-token.ts';
import type { Assessment } from '../../../src/controller/assessor.ts';
import { TokenController, type TokenControllerOptions } from '../../../src/controller/token-controller.ts';
import type { ReconcileResult } from '../../../src/kube/worker-pool.ts';
import { decide } from '../../../src/token/decision.ts';
import {
  anIntent,
  anIssuedToken,
  aPrevious,
  aSituation,
  at,
  HOUR,
  ISSUED,
  ours,
} from '../../support/builders.ts';

const OPEN = { mintIntent: anIntent() };
const NOW = ISSUED + HOUR;

interface Stage {
  /** As stored. */
  status: RegistryTokenStatus;
  /** Token that the Secret holds. */
  holds: string;
  /** Ends the open mint with this status; undefined: the registry can't be asked. */
  settled?: RegistryTokenStatus;
}

/** Reconciles one RegistryToken once. */
async function reconcile({
  status,
  holds,
  settled,
}: Stage): Promise<{ result: ReconcileResult; held: string[] }> {
  const token = anIssuedToken({ status });
  const situation = aSituation({ token: { status }, secret: ours({ holds }) });
  const { spec, wanted, secret } = situation;
  const assessment: Assessment = { spec, wanted, secret, situation, decision: decide(situation) };
  let held: string[] = [];
  const failure = { reason: 'RegistryUnavailable', message: 'no answer', retryable: true } as const;
  const outcome = settled ? { kind: 'done' } : { kind: 'failed', failure };
  const nothing = (): void => undefined;
  const options = {
    sources: { token: () => token },
    tokens: {
      freshest: () => token,
      read: () => Promise.resolve(token),
      writeStatus: () => Promise.resolve(token),
      forget: nothing,
    },
    assessor: { assess: () => Promise.resolve(assessment) },
    issuer: {
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
        return Promise.resolve(next);
      },
    },
    formerSecrets: { remove: () => Promise.resolve(), held: () => [] },
    linker: { problems: () => [], holds: () => false },
    onReady: nothing,
    clock: { now: () => NOW, monotonic: () => 0, after: () => nothing },
    skew: () => 0,
  } as unknown as TokenControllerOptions;
  const controller = new TokenController(options);
  const result = await controller.reconcile({ namespace: 'team', name: 'app' }, new AbortController().signal);
  return { result, held };
}

describe('a reconcile that finishes an earlier mint', () => {
  it('is followed by another soon: what was asked for meanwhile has not been looked at', async () => {
    const { status } = anIssuedToken();
    const { result } = await reconcile({ status: OPEN, holds: 'token-1', settled: status ?? {} });
    expect(result).to.deep.equal({ requeueAfter: 1_000 });
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
