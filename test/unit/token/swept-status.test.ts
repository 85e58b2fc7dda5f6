import { expect } from 'chai';
import { missingRetained } from '../../../src/token/sweep/retained.ts';
import { MAX_SCOPES } from '../../../src/token/sweep/searched-scopes.ts';
import { withoutSweep, withSweep, type SweepReport } from '../../../src/token/sweep/swept-status.ts';
import { at, HOUR, ISSUED, PLACE } from '../../support/builders.ts';

const retained = (id: string) => ({ id, region: 'us-south', place: PLACE, namespace: 'team', name: 'app' });

const aReport = (part: Partial<SweepReport> = {}): SweepReport => ({
  orphans: 2,
  conflict: undefined,
  sweptAt: ISSUED + HOUR,
  goneRetained: [],
  scopes: (named) => [...named],
  ...part,
});

describe('an account’s status after a sweep', () => {
  it('says how many orphans there are and since when', () => {
    const status = withSweep({ tokens: 1 }, aReport(), ISSUED);
    expect(status).to.deep.include({ tokens: 1, orphans: 2, lastSweepTime: at(HOUR) });
    expect(status).to.not.have.any.keys('retainedTokens', 'scopes');
  });

  it('says the time of the sweep before while not all places were looked at', () => {
    const status = withSweep({ lastSweepTime: at(0) }, aReport({ sweptAt: undefined }), ISSUED);
    expect(status.lastSweepTime).to.equal(at(0));
  });

  it('loses the tokens kept on purpose that are gone', () => {
    const elsewhere = { ...retained('a'), place: { ...PLACE, endpoint: 'https://elsewhere.example' } };
    const before = { retainedTokens: [retained('a'), retained('b'), elsewhere] };
    const status = withSweep(before, aReport({ goneRetained: [retained('a')] }), ISSUED);
    expect(status.retainedTokens).to.deep.equal([retained('b'), elsewhere]);
  });

  it('names no more scopes than there is room for, in order', () => {
    const many = Array.from({ length: MAX_SCOPES + 1 }, (_, index) => `team-${index}`);
    const { scopes = [] } = withSweep({ scopes: ['z'] }, aReport({ scopes: () => ['b', ...many] }), ISSUED);
    expect(scopes).to.have.length(MAX_SCOPES).and.include('b');
    expect(scopes).to.deep.equal(scopes.toSorted());
  });

  it('tells of tokens that are unknown here while there are any', () => {
    const conflict = { status: 'True', reason: 'UnknownTokens', message: 'tokens' } as const;
    const status = withSweep({}, aReport({ conflict }), ISSUED);
    expect(status.conditions?.map(({ type }) => type)).to.deep.equal(['ClusterIdConflict']);
    expect(withSweep(status, aReport(), ISSUED).conditions ?? []).to.deep.equal([]);
  });

  it('says nothing of a sweep where the registry has nothing to list, and keeps where tokens are left', () => {
    const before = { orphans: 1, lastSweepTime: at(0), scopes: ['a'], retainedTokens: [retained('a')] };
    const status = withoutSweep(before, ISSUED);
    expect(status).to.not.have.any.keys('orphans', 'lastSweepTime');
    expect(status).to.deep.include({ scopes: ['a'], retainedTokens: [retained('a')] });
  });
});

describe('a token kept on purpose', () => {
  const list = { tokens: new Set(['there']), unread: new Set(['hidden']) };
  it('is missing where the list of its place lacks it', () => {
    expect(missingRetained([retained('a'), retained('there')], PLACE, list)).to.deep.equal([retained('a')]);
  });
  it('is not missing by the list of another place, or where its scope could not be read', () => {
    const other = { ...PLACE, endpoint: 'https://elsewhere.example' };
    expect(missingRetained([retained('a')], other, list)).to.deep.equal([]);
    expect(missingRetained([{ ...retained('a'), scope: ['hidden'] }], PLACE, list)).to.deep.equal([]);
  });
});
