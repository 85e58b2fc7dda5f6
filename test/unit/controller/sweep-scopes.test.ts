import { expect } from 'chai';
import { RegistryError } from '../../../src/registry/errors.ts';
import { anAccount, anIssuedToken, aRecord, HOUR, MINUTE, PLACE } from '../../support/builders.ts';
import { DELAY, elsewhere, orphanTag, placeIn, SweepStage } from './support/sweep-stage.ts';

const SCOPED = { account: 'default', region: 'us-south', place: PLACE, scope: ['team-a'] };
const outage = new RegistryError('Unavailable', 'the registry is down');

/** A registry that lists scopes apart, and an account whose status names scopes. */
function aStage(scopes: string[], ...regions: string[]): SweepStage {
  const stage = new SweepStage();
  stage.listsApart = true;
  const spec = elsewhere(...(regions.length === 0 ? ['us-south'] : regions));
  stage.account = anAccount({ spec, status: { scopes } });
  return stage;
}

const forbidden = new RegistryError('Forbidden', 'not yours');
const left = (stage: SweepStage, id: string, scope: string): void => {
  stage.add('us-south', id, orphanTag());
  stage.scopeOf.set(id, scope);
};

describe('tokens of a registry that lists scopes apart', () => {
  it('are looked for wherever RegistryTokens have some, and where the account’s status says', async () => {
    const stage = aStage(['team-a', 'team-b']);
    stage.tokens = [
      anIssuedToken({ status: { token: aRecord({ scope: ['team-c'] }) } }),
      anIssuedToken({ status: { token: aRecord({ id: 'b' }) } }),
      anIssuedToken({ status: { token: aRecord({ id: 'c', account: 'another', scope: ['theirs'] }) } }),
    ];
    await stage.look();
    expect(stage.searched).to.have.deep.members([['team-a'], ['team-b'], ['team-c'], []]);
  });

  it('are found and revoked where only the account’s status says that there are some', async () => {
    const stage = aStage(['team-a']);
    left(stage, 'a', 'team-a');
    await stage.run(DELAY + 1);
    expect(stage.revoked).to.deep.equal(['a']);
  });

  it('are found where a RegistryToken that went left them, though the status does not say so', async () => {
    const stage = aStage([]);
    await stage.look();
    left(stage, 'a', 'team-a');
    stage.tokens = [anIssuedToken({ metadata: { uid: 'gone' } })];
    stage.sweeper.leftBehind('gone', SCOPED);
    await stage.look();
    expect(stage.searched.at(-1)).to.deep.equal(['team-a']);
  });
});

describe('scopes of what is owed where the account does not lead', () => {
  it('are not searched', async () => {
    const stage = aStage([]);
    stage.sweeper.leftBehind('gone', { ...SCOPED, place: placeIn('eu-de') });
    await stage.look();
    expect(stage.searched.flat()).to.deep.equal([]);
  });
});

describe('a scope of which nothing here knows any more, as after a restore from a backup,', () => {
  const ofTeamZ = (stage: SweepStage): number =>
    stage.searched.filter((scope) => scope.includes('team-z')).length;

  it('is searched where the account can see it, and what was left there is revoked', async () => {
    const stage = aStage(['team-a']);
    stage.visible = ['team-y', 'team-z'];
    left(stage, 'z', 'team-z');
    await stage.look();
    expect(stage.status.scopes, 'also by the next process').to.deep.equal(['team-a', 'team-z']);
    await stage.run(2 * HOUR);
    expect(stage.revoked).to.deep.equal(['z']);
    expect(stage.status).to.not.have.property('scopes');
  });

  it('is searched once when the process begins and once a day: it is a request or more for each', async () => {
    const stage = aStage(['team-a']);
    stage.visible = ['team-z'];
    await stage.run(24 * HOUR - MINUTE);
    expect(ofTeamZ(stage)).to.equal(1);
    await stage.run(24 * HOUR);
    expect(ofTeamZ(stage)).to.equal(2);
  });

  it('is searched after a look where scopes are known, if the first look failed: there may be too many to see', async () => {
    const stage = aStage(['team-a']);
    stage.visible = ['team-z'];
    stage.down.set('us-south', outage);
    await stage.run(MINUTE);
    stage.down.clear();
    await stage.run(30 * MINUTE);
    expect([stage.searched.at(-1), ofTeamZ(stage)]).to.deep.equal([['team-a'], 0]);
    await stage.run(HOUR);
    expect(ofTeamZ(stage)).to.equal(1);
  });

  it('hides nothing of others where it may not be listed', async () => {
    const stage = aStage(['team-a']);
    stage.visible = ['team-z'];
    stage.hidden.add('team-z');
    left(stage, 'a', 'team-a');
    await stage.run(HOUR);
    expect(stage.revoked).to.deep.equal(['a']);
    expect(stage.status).to.have.property('lastSweepTime');
    expect(stage.lines.filter((line) => line.startsWith('not swept: '))).to.deep.equal([]);
  });
});

describe('a scope that may not be listed, which anyone may name', () => {
  it('keeps no other scope from being swept, and what it hides is not called gone', async () => {
    const stage = aStage(['team-a', 'theirs']);
    left(stage, 'a', 'team-a');
    stage.hidden.add('theirs');
    const token = aRecord({ id: 'hidden', scope: ['theirs'], expiresAt: undefined });
    stage.tokens = [anIssuedToken({ status: { token } })];
    await stage.run(5 * HOUR);
    expect(stage.revoked).to.deep.equal(['a']);
    expect(stage.gone).to.deep.equal([]);
    expect(stage.status.scopes).to.deep.equal(['theirs']);
    expect(stage.status.lastSweepTime, 'not all was swept').to.equal(undefined);
    expect(stage.lines.filter((line) => line.startsWith('not swept: '))).to.not.be.empty;
  });

  it('does not have a token struck off that is kept on purpose there', async () => {
    const stage = aStage(['team-a']);
    stage.hidden.add('theirs');
    const kept = { id: 'kept', region: 'us-south', place: PLACE, namespace: 'team', name: 'app' };
    stage.account = anAccount({
      spec: elsewhere('us-south'),
      status: { scopes: ['team-a'], retainedTokens: [{ ...kept, scope: ['theirs'] }] },
    });
    await stage.run(5 * HOUR);
    expect(stage.status.retainedTokens).to.have.length(1);
  });

  it('whose token may not be revoked keeps none of another scope alive', async () => {
    const stage = aStage(['team-a', 'theirs']);
    left(stage, 'theirs', 'theirs');
    left(stage, 'a', 'team-a');
    stage.refusals.set('theirs', forbidden);
    await stage.run(5 * HOUR);
    expect(stage.revoked).to.deep.equal(['a']);
    expect(stage.status.orphans).to.equal(1);
  });
});

describe('a scope whose list fails', () => {
  const broken = (stage: SweepStage, ...scopes: string[]): void => {
    for (const scope of scopes)
      stage.broken.set(scope, new RegistryError('Unavailable', 'answered 500', { status: 500 }));
  };

  it('keeps no other scope from being swept, and what it hides is not called gone', async () => {
    const stage = aStage(['broken', 'team-a']);
    left(stage, 'a', 'team-a');
    left(stage, 'z', 'broken');
    broken(stage, 'broken');
    const hidden = aRecord({ id: 'hidden', scope: ['broken'], expiresAt: undefined });
    const missing = aRecord({ id: 'missing', scope: ['team-a'], expiresAt: undefined });
    stage.tokens = [hidden, missing].map((token) => anIssuedToken({ status: { token } }));
    await stage.run(5 * HOUR);
    expect(stage.revoked).to.deep.equal(['a']);
    expect(new Set(stage.gone)).to.deep.equal(new Set(['missing']));
    expect(stage.status.scopes).to.deep.equal(['broken', 'team-a']);
    expect(stage.status.lastSweepTime, 'not all was swept').to.equal(undefined);
    stage.broken.clear();
    await stage.run(HOUR);
    expect(stage.revoked).to.deep.equal(['a', 'z']);
    expect(stage.status).to.have.property('lastSweepTime');
  });

  it('is asked for again at growing intervals of up to five minutes', async () => {
    const stage = aStage(['broken', 'team-a']);
    broken(stage, 'broken');
    await stage.run(HOUR);
    const times = stage.searched.filter((scope) => scope.includes('broken')).length;
    expect(times).to.be.within(12, 30);
  });

  it('is no list at all where no scope has one, or several in a row have none: the registry fails', async () => {
    for (const scopes of [['a'], ['a', 'b', 'c', 'd', 'e', 'good']]) {
      const stage = aStage(scopes);
      broken(stage, ...scopes.filter((scope) => scope !== 'good'));
      await stage.look();
      expect(stage.lines).to.deep.equal(['not swept: answered 500']);
      expect(stage.searched.length, 'the circuit breaker does not open').to.be.at.most(3);
    }
  });
});

describe('a scope in an account’s status', () => {
  it('is there again once a look found something left in it, though the account was created anew without it', async () => {
    const stage = aStage([], 'us-south');
    left(stage, 'orphan', 'team-a');
    stage.sweeper.leftBehind('gone', SCOPED);
    await stage.look();
    expect(stage.status.scopes).to.deep.equal(['team-a']);
    await stage.run(2 * HOUR);
    expect(stage.revoked).to.deep.equal(['orphan']);
    expect(stage.status).to.not.have.property('scopes');
  });

  it('is struck off once it was searched in vain for a minute, by two looks', async () => {
    const stage = aStage(['team-a', 'team-b']);
    await stage.look();
    expect(stage.status.scopes).to.deep.equal(['team-a', 'team-b']);
    await stage.run(HOUR);
    await stage.look();
    expect(stage.status).to.not.have.property('scopes');
  });

  it('is not struck off by two looks that are less than a minute apart: what comes late is found', async () => {
    const stage = aStage(['team-a']);
    await stage.look();
    await stage.clock.advance(MINUTE - 1);
    stage.sweeper.leftBehind('gone', { ...SCOPED, scope: ['another'] });
    await stage.look();
    expect(stage.searched).to.deep.equal([['team-a'], ['team-a'], ['another']]);
    expect(stage.status.scopes).to.deep.equal(['team-a']);
    await stage.clock.advance(1);
    stage.sweeper.leftBehind('gone', { ...SCOPED, scope: ['another'] });
    await stage.look();
    expect(stage.status).to.not.have.property('scopes');
  });

  it('stays while tokens are left there, until they are revoked', async () => {
    const stage = aStage(['team-a', 'team-b']);
    left(stage, 'a', 'team-a');
    stage.refusal = outage;
    await stage.run(5 * HOUR);
    expect(stage.status.scopes).to.deep.equal(['team-a']);
    stage.refusal = undefined;
    await stage.run(3 * HOUR);
    expect(stage.revoked).to.deep.equal(['a']);
    expect(stage.status).to.not.have.property('scopes');
  });

  it('stays while a RegistryToken has it', async () => {
    const stage = aStage(['team-a', 'team-b']);
    stage.add('us-south', 'token-1', orphanTag());
    stage.scopeOf.set('token-1', 'team-a');
    stage.tokens = [anIssuedToken({ status: { token: aRecord({ scope: ['team-a'] }) } })];
    await stage.run(3 * HOUR);
    expect(stage.status.scopes).to.deep.equal(['team-a']);
  });

  it('stays while a place of the account was not searched there', async () => {
    const stage = aStage(['team-a'], 'us-south', 'eu-de');
    stage.down.set('eu-de', outage);
    await stage.run(3 * HOUR);
    expect(stage.status.scopes).to.deep.equal(['team-a']);
    stage.down.clear();
    await stage.run(3 * HOUR);
    expect(stage.status).to.not.have.property('scopes');
  });

  it('stays while it is owed a look at a place where nobody can look now', async () => {
    const stage = aStage(['team-a']);
    stage.sweeper.leftBehind('gone', { ...SCOPED, place: placeIn('us-north') });
    await stage.run(3 * HOUR);
    expect(stage.status.scopes).to.deep.equal(['team-a']);
  });

  it('stays where it was searched in vain only while a RegistryToken had it, which has gone since', async () => {
    const stage = aStage(['team-a']);
    stage.add('us-south', 'token-1', orphanTag());
    stage.scopeOf.set('token-1', 'team-a');
    stage.tokens = [anIssuedToken({ status: { token: aRecord({ scope: ['team-a'] }) } })];
    await stage.run(3 * HOUR - MINUTE);
    stage.tokens = [];
    // The account is looked at for another reason, before its place is.
    await stage.look();
    expect(stage.listed).to.have.length(3);
    expect(stage.status.scopes).to.deep.equal(['team-a']);
    await stage.run(2 * HOUR);
    expect(stage.revoked).to.deep.equal(['token-1']);
  });

  it('stays where a RegistryToken that is about to go notes it again, whatever was searched before', async () => {
    const stage = aStage(['team-a']);
    await stage.run(HOUR + MINUTE);
    expect(stage.status).to.not.have.property('scopes');
    stage.sweeper.scopesNoted('default', new Set(['team-a']));
    stage.account = anAccount({ spec: elsewhere('us-south'), status: { scopes: ['team-a'] } });
    // Looked at for another reason, while the registry is down.
    stage.down.set('us-south', outage);
    await stage.look();
    await stage.run(2 * HOUR);
    expect(stage.status.scopes).to.deep.equal(['team-a']);
    stage.down.clear();
    left(stage, 'a', 'team-a');
    await stage.run(3 * HOUR);
    expect(stage.revoked).to.deep.equal(['a']);
  });

  it('stays where a RegistryToken came to have it while it was searched', async () => {
    const stage = aStage(['team-a']);
    await stage.look();
    await stage.clock.advance(HOUR);
    stage.whileListing = () => {
      stage.tokens = [anIssuedToken({ status: { token: aRecord({ scope: ['team-a'] }) } })];
    };
    await stage.look();
    expect(stage.status.scopes).to.deep.equal(['team-a']);
  });

  it('stays while tokens are left there that are only reported', async () => {
    const stage = new SweepStage({ sweep: 'report' });
    stage.listsApart = true;
    stage.account = anAccount({ spec: elsewhere('us-south'), status: { scopes: ['team-a'] } });
    left(stage, 'a', 'team-a');
    await stage.run(5 * HOUR);
    expect(stage.status.scopes).to.deep.equal(['team-a']);
  });

  it('stays where the registry has one list of all, as after a change of the account’s registry', async () => {
    const stage = aStage(['team-a']);
    stage.listsApart = false;
    await stage.run(3 * HOUR);
    expect(stage.status.scopes).to.deep.equal(['team-a']);
  });
});

describe('an account that became one of a registry that exchanges credentials', () => {
  it('says nothing any more of what the sweep found at the registry before', async () => {
    const stage = new SweepStage();
    stage.add('us-south', 'a', orphanTag());
    await stage.look();
    expect(stage.status).to.include({ orphans: 1 }).and.have.property('lastSweepTime');
    const ecr = { registryId: '123456789012', identityAccess: 'ReadOnly' } as const;
    const { ibmRegistryTokens: _, ...spec } = elsewhere('us-south');
    const status = { ...stage.status, scopes: ['team-a'] };
    stage.account = { ...anAccount(), spec: { ...spec, ecr }, status };
    await stage.look();
    expect(stage.status).to.not.have.any.keys('orphans', 'lastSweepTime');
    expect(stage.status.scopes, 'it may be one of that registry again').to.deep.equal(['team-a']);
  });
});
