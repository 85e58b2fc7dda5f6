import { expect } from 'chai';
import { anAccount, HOUR, MINUTE, PLACE } from '../../support/builders.ts';
import { anotherIn, elsewhere, SweepStage } from './support/sweep-stage.ts';

describe('a token kept on purpose', () => {
  const retainedTokens = [{ id: 'a', region: 'us-south', place: PLACE, namespace: 'team', name: 'app' }];
  let stage: SweepStage;
  beforeEach(() => {
    stage = new SweepStage();
    stage.account = anAccount({ spec: elsewhere('us-south'), status: { retainedTokens } });
  });

  it('stays, though nothing else holds it, and is struck off once it is gone from its place', async () => {
    stage.add('us-south', 'a');
    await stage.run(5 * HOUR);
    expect(stage.revoked).to.deep.equal([]);
    expect(stage.status.retainedTokens).to.deep.equal(retainedTokens);
    stage.regions.clear();
    stage.moved.set('us-south', anotherIn('us-south'));
    await stage.run(2 * HOUR);
    expect(stage.status.retainedTokens).to.deep.equal(retainedTokens);
    stage.moved.clear();
    await stage.run(3 * HOUR);
    expect(stage.status).to.not.have.property('retainedTokens');
  });

  it('stays as long as it proves nothing that the registry does not know it', async () => {
    Object.assign(stage, { listLag: MINUTE, absence: 5 * MINUTE });
    await stage.run(4 * MINUTE);
    expect(stage.status.retainedTokens).to.deep.equal(retainedTokens);
    await stage.run(3 * HOUR);
    expect(stage.status).to.not.have.property('retainedTokens');
  });

  for (const isThere of [true, false])
    it(`${isThere ? 'stays' : 'is struck off'} where lists lack it and the registry ${isThere ? 'has' : 'does not have'} it by its id`, async () => {
      const row = { id: 'a', description: '', expiresAt: null, revoked: false };
      stage.byId = () => (isThere ? row : undefined);
      await stage.run(3 * HOUR);
      expect(stage.status.retainedTokens).to.deep.equal(isThere ? retainedTokens : undefined);
    });

  it('is not struck off for one list that lacks it', async () => {
    await stage.clock.advance(HOUR);
    await stage.look();
    expect(stage.status.retainedTokens).to.deep.equal(retainedTokens);
    stage.add('us-south', 'a');
    await stage.run(2 * HOUR);
    expect(stage.status.retainedTokens).to.deep.equal(retainedTokens);
  });
});
