import { expect } from 'chai';
import { ABSENT, anIntent, aPrevious, aWanted, HOUR, SECOND } from '../../support/builders.ts';
import { ControllerStage, type Finding } from './support/controller-stage.ts';

const RENEWAL = 23 * HOUR;
const OPEN: Finding = { token: { status: { mintIntent: anIntent() } } };
const NEW_HOST = 'new.example';

describe('what was decided about a RegistryToken', () => {
  it('where the Secret is missing: it has that repaired', async () => {
    const stage = new ControllerStage();
    stage.findings = [{ secret: ABSENT }];
    await stage.reconcile();
    expect(stage.did).to.include('repair').and.not.include('move');
  });

  it('where the account names another host: it has the Secret moved', async () => {
    const stage = new ControllerStage();
    stage.findings = [{ wanted: aWanted({ host: NEW_HOST }) }];
    await stage.reconcile();
    expect(stage.did).to.include('move').and.not.include('repair');
  });

  const gone: [what: string, finding: Finding][] = [
    ['repair', { secret: ABSENT }],
    ['move', { wanted: aWanted({ host: NEW_HOST }) }],
  ];
  for (const [what, finding] of gone)
    it(`where a ${what} finds the token gone from the registry: it has another issued`, async () => {
      const stage = new ControllerStage();
      stage.isGone = true;
      stage.findings = [finding];
      await stage.reconcile();
      expect(stage.did.slice(2, 5)).to.deep.equal(['look at all', what, 'mint for TokenLost']);
    });
});

describe('a reconcile of an open mint', () => {
  it('has it settled', async () => {
    const stage = new ControllerStage();
    stage.findings = [OPEN];
    await stage.reconcile();
    expect(stage.did.slice(2, 4)).to.deep.equal(['look at all', 'settle']);
  });

  it('which may still give a token comes back when that is known', async () => {
    const stage = new ControllerStage();
    stage.findings = [OPEN];
    const held = { kind: 'held', reason: 'MintUnconfirmed', message: 'not yet' } as const;
    stage.ends = { outcome: held, until: stage.clock.now() + 10 * SECOND };
    expect(await stage.reconcile()).to.deep.equal({ requeueAfter: 10 * SECOND });
  });

  const after: [what: string, now: number, finding: Finding, isOpen: boolean, next: string][] = [
    ['nothing to do records that its revision is used', HOUR, {}, false, 'remove all Secrets but app'],
    ['another to issue keeps it until that takes its place', RENEWAL, {}, true, 'mint for RenewalDue'],
    [
      'another to wait for keeps it',
      RENEWAL,
      { accountProblem: 'no key' },
      true,
      'remove all Secrets but app',
    ],
    ['a Secret to repair records that its revision is used', HOUR, { secret: ABSENT }, false, 'repair'],
  ];
  for (const [what, now, finding, isOpen, next] of after)
    it(`which left no token and ${what}`, async () => {
      const stage = new ControllerStage(now);
      const stray = aPrevious({ id: 'stray', revision: 2 });
      stage.findings = [{ ...OPEN, ...finding }];
      stage.lost = { ...stage.token.status, previousTokens: [stray] };
      await stage.reconcile();
      const { mintIntent, lastRevision, previousTokens } = stage.status;
      expect(mintIntent?.revision).to.equal(isOpen ? 2 : undefined);
      expect(lastRevision).to.equal(isOpen ? undefined : 2);
      expect(previousTokens?.map(({ id }) => id)).to.deep.equal(['stray']);
      expect(stage.did[stage.did.indexOf('settle') + 1]).to.equal(next);
    });
});
