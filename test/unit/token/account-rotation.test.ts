import { expect } from 'chai';
import * as fc from 'fast-check';
import type { MintIntent, RegistryTokenStatus } from '../../../src/api/registry-token.ts';
import { isToRotate, rotationAsked, rotationProgress } from '../../../src/token/decide/account-rotation.ts';
import { decide } from '../../../src/token/decide/decision.ts';
import { withIntent, withoutIntent, withToken } from '../../../src/token/lifecycle/mint-steps.ts';
import {
  anAccount,
  anIntent,
  anIssuedToken,
  aRecord,
  aSituation,
  aToken,
  aWanted,
  HOUR,
  ISSUED,
} from '../../support/builders.ts';

const asking = (requestedAt: string | undefined) => anAccount({ spec: { rotation: { requestedAt } } });
const handled = (value: string) => anIssuedToken({ status: { lastHandledAccountRotation: value } });

/** The open mint ends with a token. */
const finish = (
  status: RegistryTokenStatus & { mintIntent: MintIntent },
  record = aRecord({ id: 'token-2', revision: 2 }),
): RegistryTokenStatus => withToken(status, record, status.mintIntent, HOUR, ISSUED);

describe('a rotation of all tokens of an account', () => {
  it('is asked for by any text', () => {
    expect(rotationAsked(anAccount())).to.equal('');
    expect(rotationAsked(asking(''))).to.equal('');
    expect(rotationAsked(asking('because'))).to.equal('because');
  });

  it('rotates what was issued before it, once', () => {
    expect(isToRotate(anIssuedToken(), 'x')).to.equal(true);
    expect(isToRotate(handled('w'), 'x')).to.equal(true);
    expect(isToRotate(handled('x'), 'x')).to.equal(false);
  });

  it('is not asked for by an earlier time, as a rollback brings one back', () => {
    const [earlier, later] = ['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'];
    expect(isToRotate(handled(later), earlier)).to.equal(false);
    expect(isToRotate(handled(earlier), later)).to.equal(true);
    expect(isToRotate(handled(later), 'because')).to.equal(true);
  });

  it('is asked for by text after a time, though it could be taken for a year', () => {
    expect(isToRotate(handled('2026-01-01T00:00:00Z'), '1')).to.equal(true);
  });

  it('stays handled while nothing, or an earlier time, is asked for', () => {
    const [earlier, later] = ['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'];
    for (const accountRotation of [undefined, earlier]) {
      const intent = anIntent(accountRotation === undefined ? {} : { accountRotation });
      const next = finish({ ...handled(later).status, mintIntent: intent });
      expect(next).to.include({ lastHandledAccountRotation: later });
      expect(isToRotate(anIssuedToken({ status: next }), later)).to.equal(false);
    }
  });

  it('is not handled by what another account asked for', () => {
    const status = { ...handled('x').status, mintIntent: anIntent({ account: 'other' }) };
    const record = aRecord({ id: 'token-2', revision: 2, account: 'other' });
    const next = finish(status, record);
    expect(isToRotate(anIssuedToken({ status: next }), 'x')).to.equal(true);
  });

  it('is not in the way of later ones for longer than the token lives, when a time far ahead was asked for by mistake', () => {
    const [mistake, corrected, later] = [
      '2062-01-01T00:00:00Z',
      '2026-01-02T00:00:00Z',
      '2026-01-03T00:00:00Z',
    ];
    const status = { ...handled(mistake).status, mintIntent: anIntent({ accountRotation: corrected }) };
    const next = finish(status);
    expect(isToRotate(anIssuedToken({ status: next }), corrected)).to.equal(false);
    expect(isToRotate(anIssuedToken({ status: next }), later)).to.equal(true);
  });

  it('leaves what has no token yet, and all while none is asked for', () => {
    expect(isToRotate(aToken(), 'x')).to.equal(false);
    expect(isToRotate(anIssuedToken(), '')).to.equal(false);
    expect(isToRotate(handled('x'), '')).to.equal(false);
  });

  it('is a reason to mint, with rotation by hand only as well', () => {
    const wanted = aWanted({ accountRotation: 'x' });
    for (const policy of ['Auto', 'Manual'] as const) {
      const token = { spec: { rotation: { policy } } };
      expect(decide(aSituation({ token, wanted }))).to.include({
        action: 'mint',
        reason: 'AccountRotation',
        message: 'spec.rotation.requestedAt of RegistryAccount default has a new value',
      });
    }
  });

  it('waits while the RegistryToken is suspended or the account is not ready', () => {
    const wanted = aWanted({ accountRotation: 'x' });
    expect(decide(aSituation({ token: { spec: { suspend: true } }, wanted }))).to.include({
      reason: 'Suspended',
    });
    expect(decide(aSituation({ accountProblem: 'no key', wanted }))).to.include({
      reason: 'AccountNotReady',
    });
  });

  it('is answered by whatever token is minted after it', () => {
    const status = { ...anIssuedToken().status, mintIntent: anIntent({ accountRotation: 'x' }) };
    const next = finish(status);
    expect(next).to.include({ lastHandledAccountRotation: 'x' });
  });

  it('is not answered by one whose mint began before it', () => {
    const status = { ...handled('w').status, mintIntent: anIntent() };
    const next = finish(status);
    expect(isToRotate(anIssuedToken({ status: next }), 'x')).to.equal(true);
  });

  it('whatever fails and however often it is restarted, each value rotates exactly once', () => {
    const step = fc.oneof(
      fc.record({ ask: fc.constantFrom('a', 'b', 'c', '') }),
      fc.record({ mint: fc.constantFrom('done', 'failed', 'pending') }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let status = anIssuedToken().status ?? {};
        let asked = '';
        let id = 1;
        /** Values asked for since the token in force was begun. */
        let unanswered = false;
        for (const each of steps) {
          if ('ask' in each) {
            unanswered = each.ask !== '' && each.ask !== (status.lastHandledAccountRotation ?? '');
            asked = each.ask;
            continue;
          }
          const wanted = aWanted({ accountRotation: asked });
          const decision = decide(aSituation({ token: { status }, wanted, mintBudget: 0 }));
          if (decision.action === 'settle') {
            const { mintIntent = anIntent() } = status;
            if (each.mint === 'pending') continue;
            status =
              each.mint === 'failed'
                ? withoutIntent(status)
                : withToken(
                    status,
                    aRecord({ id: `t${++id}`, revision: mintIntent.revision }),
                    mintIntent,
                    0,
                    ISSUED,
                  );
            unanswered = asked !== '' && status.lastHandledAccountRotation !== asked;
            continue;
          }
          expect(decision.action === 'mint').to.equal(unanswered);
          if (decision.action !== 'mint') continue;
          expect(decision.reason).to.equal('AccountRotation');
          const { account, region, access, specHash } = anIntent();
          const intent = {
            account,
            region,
            place: decision.place,
            access,
            specHash,
            reason: decision.reason,
            accountRotation: asked,
          };
          status = withIntent(status, intent, { count: 0, window: HOUR }, ISSUED);
        }
      }),
    );
  });
});

describe('its progress', () => {
  const tokens = [handled('x'), anIssuedToken(), handled('w'), aToken()];

  it('counts what no longer has to rotate', () => {
    expect(rotationProgress(asking('x'), tokens)).to.deep.equal({ requestedAt: 'x', done: 2, total: 4 });
  });

  it('leaves out what is being deleted', () => {
    const leaving = anIssuedToken({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } });
    expect(rotationProgress(asking('x'), [leaving])).to.deep.equal({ requestedAt: 'x', done: 0, total: 0 });
  });

  it('is none while none is asked for', () => {
    expect(rotationProgress(asking(undefined), tokens)).to.equal(undefined);
    expect(rotationProgress(asking(''), tokens)).to.equal(undefined);
  });
});
