import { expect } from 'chai';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import { RegistryError, type RegistryErrorCode } from '../../../src/registry/errors.ts';
import type { ListedToken } from '../../../src/registry/port.ts';
import { anAccount, anIssuedToken, aPrevious, aToken, HOUR, MINUTE } from '../../support/builders.ts';
import {
  anotherIn,
  CLUSTER,
  DELAY,
  elsewhere,
  orphanTag,
  placeIn,
  SweepStage,
} from './support/sweep-stage.ts';

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

    it('all is as it was once the account has left the registry where they are, though it still owes something there', async () => {
      stage.down.set('us-south', outage);
      stage.sweeper.leftBehind('gone', issuedIn('us-south'));
      await stage.look();
      stage.down.clear();
      await stage.run(HOUR);
      stage.down.set('us-south', outage);
      stage.sweeper.leftBehind('gone', issuedIn('us-south'));
      await stage.look();
      stage.account = anAccount({ spec: elsewhere('eu-de'), status: stage.status });
      stage.tokens = [];
      stage.add('eu-de', 'left');
      await stage.run(2 * HOUR);
      expect(stage.revoked).to.deep.equal(['left']);
      expect(stage.status.conditions).to.deep.equal([]);
    });

    it('a token that only one list showed, as it was revoked right after it, holds nothing back', async () => {
      stage.add('us-south', 'left');
      await stage.look();
      stage.regions.set(
        'us-south',
        (stage.regions.get('us-south') ?? []).filter(({ id }) => id !== 'theirs'),
      );
      await stage.run(DELAY + MINUTE);
      expect(stage.revoked).to.deep.equal(['left']);
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
      stage.moved.set('us-south', anotherIn('us-south'));
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

    it('is told to be gone where a list shows it as revoked, though it may not be asked for by its id', async () => {
      const description = orphanTag({ uid: anIssuedToken().metadata.uid });
      stage.regions.set('us-south', [{ id: 'token-1', description, expiresAt: null, revoked: true }]);
      stage.byId = () => {
        throw new RegistryError('Forbidden', 'may not be read');
      };
      await stage.run(2 * MINUTE);
      expect(stage.gone).to.include('token-1');
    });

    it('is told to be gone also where the registry fails to revoke another', async () => {
      stage.refusals.set('left', new RegistryError('Unavailable', 'answered 500', { status: 500 }));
      stage.add('us-south', 'left');
      await stage.run(2 * HOUR);
      expect(stage.gone).to.include('token-1');
    });

    it('is told to be gone also where no list may be read', async () => {
      Object.assign(stage, { listsApart: true, byId: () => undefined });
      stage.hidden.add('');
      await stage.run(2 * MINUTE);
      expect(stage.gone).to.include('token-1');
      expect(stage.status, 'not swept').to.not.have.property('lastSweepTime');
    });
  });

  describe('tokens that no list has are asked for by their ids', () => {
    /** Ids, in order. */
    let asked: string[];
    /** Milliseconds that one answer takes. */
    let answerTime: number;
    let answer: (id: string) => ListedToken | undefined;
    const previous = (count: number): RegistryToken =>
      aToken({
        status: { previousTokens: Array.from({ length: count }, (_, n) => aPrevious({ id: `x${n}` })) },
      });
    beforeEach(() => {
      asked = [];
      answerTime = 0;
      answer = () => undefined;
      stage.byId = async (id) => {
        asked.push(id);
        await stage.clock.advance(answerTime);
        return answer(id);
      };
    });

    it('once each when they are gone, a minute of them in one look', async () => {
      stage.tokens = [previous(400)];
      answerTime = 200;
      await stage.look();
      await stage.clock.advance(MINUTE);
      expect(await stage.look()).to.deep.equal({ requeueAfter: 0 });
      expect(asked).to.have.length(300);
      const { requeueAfter = 0 } = (await stage.look()) ?? {};
      expect(requeueAfter, 'nothing is left to be done').to.be.greaterThan(HOUR / 2);
      await stage.run(3 * HOUR);
      expect(asked).to.have.length(400);
      expect(new Set(stage.gone).size).to.equal(400);
    });

    it('once for all RegistryTokens that name one', async () => {
      stage.tokens = ['a', 'b'].map((uid) => ({
        ...previous(1),
        metadata: { ...previous(1).metadata, uid },
      }));
      await stage.run(3 * HOUR);
      expect(asked).to.deep.equal(['x0']);
    });

    it('again when a list had one meanwhile', async () => {
      stage.tokens = [previous(1)];
      await stage.run(2 * MINUTE);
      stage.add('us-south', 'x0');
      await stage.run(HOUR);
      stage.regions.clear();
      await stage.run(2 * HOUR);
      expect(asked).to.deep.equal(['x0', 'x0']);
    });

    it('and one at which the registry fails holds up nothing: it is asked for again in a minute, then at each look', async () => {
      stage.tokens = [previous(2)];
      answer = (id) => {
        if (id === 'x0') throw new RegistryError('Unavailable', 'answered 500', { status: 500 });
        return undefined;
      };
      stage.add('us-south', 'left');
      await stage.run(4 * MINUTE);
      expect(asked).to.deep.equal(['x0', 'x1', 'x0']);
      expect(new Set(stage.gone)).to.deep.equal(new Set(['x1']));
      await stage.run(HOUR);
      expect(stage.revoked).to.deep.equal(['left']);
      expect(stage.status).to.have.property('lastSweepTime');
      expect(asked.slice(3).every((id) => id === 'x0')).to.equal(true);
    });

    const endings: [code: RegistryErrorCode, unsent: boolean][] = [
      ['RateLimited', false],
      ['Unauthorized', false],
      ['Unavailable', true],
    ];
    for (const [code, unsent] of endings)
      it(`until the registry answers none of them (${code}${unsent ? ', not sent' : ''}): the others follow when it may, and the look goes on`, async () => {
        stage.tokens = [previous(3)];
        answer = (id) => {
          if (id !== 'x0') throw new RegistryError(code, 'no answer', { unsent, retryAfter: 5 * MINUTE });
          return undefined;
        };
        await stage.look();
        await stage.clock.advance(MINUTE);
        expect(await stage.look()).to.deep.equal({ requeueAfter: 5 * MINUTE });
        expect(asked).to.deep.equal(['x0', 'x1']);
        answer = () => undefined;
        await stage.run(6 * MINUTE);
        expect(asked).to.deep.equal(['x0', 'x1', 'x1', 'x2']);
      });
  });
});
