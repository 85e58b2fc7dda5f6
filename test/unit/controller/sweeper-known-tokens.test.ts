import { expect } from 'chai';
import { RegistryError } from '../../../src/registry/errors.ts';
import type { ListedToken } from '../../../src/registry/port.ts';
import { anAccount, anIssuedToken, aPrevious, aToken, HOUR, MINUTE } from '../../support/builders.ts';
import { CLUSTER, DELAY, elsewhere, orphanTag, placeIn, SweepStage } from './support/sweep-stage.ts';

const issuedIn = (region: string) => ({ account: 'default', region, place: placeIn(region) });
const outage = new RegistryError('Unavailable', 'the registry is down');

describe('sweeper, of tokens that are known', () => {
  let stage: SweepStage;
  beforeEach(() => {
    stage = new SweepStage();
  });

  describe('where another cluster works with the same cluster id and uids', () => {
    const { uid } = anIssuedToken().metadata;
    beforeEach(() => {
      stage.tokens = [anIssuedToken()];
      stage.add('us-south', 'token-1', orphanTag({ uid, revision: 1 }));
      stage.add('us-south', 'theirs', orphanTag({ uid, revision: 2, nonce: 'theirs00' }));
    });

    it('its tokens are reported once and not revoked', async () => {
      await stage.run(3 * HOUR);
      expect(stage.revoked).to.deep.equal([]);
      expect(stage.events).to.deep.equal(['ClusterIdConflict']);
      expect(stage.unknown.get('us-south')).to.equal(1);
      expect(stage.orphans.get('us-south')).to.equal(0);
      const [condition] = stage.status.conditions ?? [];
      expect(condition).to.include({ type: 'ClusterIdConflict', status: 'True', reason: 'UnknownTokens' });
      expect(condition?.message).to.include('theirs (us-south)').and.include(CLUSTER);
    });

    it('one look reports nothing: a watch can lag', async () => {
      await stage.run(DELAY - 1);
      expect(stage.events).to.deep.equal([]);
      expect(stage.status.conditions ?? []).to.deep.equal([]);
    });

    it('what deleted RegistryTokens left is not revoked, not even in other regions', async () => {
      stage.account = anAccount({ spec: elsewhere('us-south', 'eu-de') });
      stage.add('us-south', 'left');
      stage.add('eu-de', 'left-too');
      await stage.run(3 * HOUR);
      expect(stage.revoked).to.deep.equal([]);
      expect(stage.status.orphans).to.equal(2);
    });

    it('what came of requests that were given up here is revoked all the same', async () => {
      const lostIntents = [{ revision: 2, nonce: 'ours0000' }];
      stage.tokens = [anIssuedToken({ status: { lostIntents } })];
      stage.add('us-south', 'late', orphanTag({ uid, revision: 2, nonce: 'ours0000' }));
      await stage.run(3 * HOUR);
      expect(stage.revoked).to.deep.equal(['late']);
    });

    it('all is as it was once its tokens are gone', async () => {
      stage.add('us-south', 'left');
      await stage.run(3 * HOUR);
      stage.regions.set(
        'us-south',
        (stage.regions.get('us-south') ?? []).filter(({ id }) => id !== 'theirs'),
      );
      await stage.run(2 * HOUR);
      expect(stage.revoked).to.deep.equal(['left']);
      expect(stage.status.conditions).to.deep.equal([]);
      expect(stage.unknown.get('us-south')).to.equal(0);
      expect(stage.events.filter((reason) => reason !== 'OrphanRevoked')).to.deep.equal([
        'ClusterIdConflict',
        'Recovered',
      ]);
    });
  });

  describe('a token that a status names', () => {
    beforeEach(() => {
      stage.tokens = [anIssuedToken({ status: { token: { expiresAt: undefined } } })];
    });

    it('is told to be gone when two lists, a minute apart, lack it', async () => {
      await stage.run(MINUTE - 1);
      expect(stage.gone).to.deep.equal([]);
      await stage.run(2);
      expect(stage.gone).to.deep.equal(['token-1']);
      expect(stage.listed).to.have.length(2);
    });

    it('is not when it is in the second list, or in the first', async () => {
      await stage.look();
      stage.add('us-south', 'token-1');
      await stage.run(2 * HOUR);
      expect(stage.gone).to.deep.equal([]);
    });

    it('is not while there is no complete list', async () => {
      await stage.look();
      stage.down.set('us-south', outage);
      await stage.run(2 * HOUR);
      expect(stage.gone).to.deep.equal([]);
    });

    it('is not by the lists of another region', async () => {
      stage.tokens = [anIssuedToken({ status: { token: issuedIn('eu-de') } })];
      stage.add('eu-de', 'token-1');
      await stage.run(2 * HOUR);
      expect(stage.gone).to.deep.equal([]);
    });

    it('is not by the lists of another registry to which its region leads now', async () => {
      stage.moved.set('us-south', placeIn('us-north'));
      await stage.run(2 * HOUR);
      expect(stage.gone).to.deep.equal([]);
      stage.moved.clear();
      await stage.run(2 * HOUR);
      expect(stage.gone).to.include('token-1');
    });

    it('is not when it was created while the list was made', async () => {
      const { tokens } = stage;
      stage.tokens = [];
      stage.whileListing = () => {
        stage.tokens = tokens;
      };
      await stage.look();
      stage.add('us-south', 'token-1');
      await stage.run(2 * HOUR);
      expect(stage.gone).to.deep.equal([]);
    });

    it('is not when it expired', async () => {
      stage.tokens = [anIssuedToken({ status: { token: { expiresAt: '2020-01-01T00:00:00Z' } } })];
      await stage.run(2 * HOUR);
      expect(stage.gone).to.deep.equal([]);
    });

    it('is told to be gone no sooner than the registry says that its lists can lag', async () => {
      stage.listLag = 5 * MINUTE;
      await stage.run(5 * MINUTE - 1);
      expect(stage.gone).to.deep.equal([]);
      await stage.run(2);
      expect(stage.gone).to.deep.equal(['token-1']);
    });

    it('is told to be gone also where it waits to be revoked', async () => {
      stage.tokens = [aToken({ status: { previousTokens: [aPrevious({ id: 'before' })] } })];
      await stage.run(2 * MINUTE);
      expect(stage.gone).to.deep.equal(['before']);
    });

    const row = { id: 'token-1', description: '', expiresAt: null, revoked: false };
    const asked: [what: string, byId: () => ListedToken | undefined, gone: string[]][] = [
      ['is not while the registry has it by its id, though no list has it', () => row, []],
      [
        'is where the registry has it by its id and says that it is revoked',
        () => ({ ...row, revoked: true }),
        ['token-1'],
      ],
      ['is where the registry does not have it by its id either', () => undefined, ['token-1']],
      [
        'is not where it may not be asked for by its id',
        () => {
          throw new RegistryError('Forbidden', 'may not be read');
        },
        [],
      ],
    ];
    for (const [what, byId, gone] of asked)
      it(what, async () => {
        stage.byId = byId;
        await stage.run(2 * MINUTE);
        expect(stage.gone).to.deep.equal(gone);
      });

    for (const isThere of [true, false])
      it(`${isThere ? 'is not' : 'is'} where the list of its scope may not be read and its id ${isThere ? 'is' : 'is not'} known`, async () => {
        const inTeamB = { id: 'token-2', expiresAt: undefined, scope: ['team-b'] };
        stage.tokens = [
          anIssuedToken({ status: { token: { expiresAt: undefined, scope: ['team-a'] } } }),
          anIssuedToken({ metadata: { uid: 'b' }, status: { token: inTeamB } }),
        ];
        stage.add('us-south', 'token-2', orphanTag({ uid: 'b' }));
        stage.scopeOf.set('token-2', 'team-b');
        Object.assign(stage, { listsApart: true, byId: () => (isThere ? row : undefined) });
        stage.hidden.add('team-a');
        await stage.run(2 * MINUTE);
        expect(stage.gone).to.deep.equal(isThere ? [] : ['token-1']);
      });
  });
});
