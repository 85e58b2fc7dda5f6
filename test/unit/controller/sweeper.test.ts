import { expect } from 'chai';
import { KubeError } from '../../../src/kube/client/errors.ts';
import { LeadershipLost } from '../../../src/kube/election/leadership-lost.ts';
import { RegistryError } from '../../../src/registry/errors.ts';
import { anAccount, anIssuedToken, aRecord, aSecret, HOUR, MINUTE } from '../../support/builders.ts';
import { anotherIn, DELAY, elsewhere, orphanTag, placeIn, SweepStage } from './support/sweep-stage.ts';

const issuedIn = (region: string) => ({ account: 'default', region, place: placeIn(region) });

const outage = new RegistryError('Unavailable', 'the registry is down');

describe('sweeper', () => {
  let stage: SweepStage;
  beforeEach(() => {
    stage = new SweepStage();
  });

  it('revokes what was unused for the delay, says so once, and counts meanwhile', async () => {
    stage.add('us-south', 'a');
    expect(await stage.look()).to.deep.equal({ requeueAfter: DELAY });
    expect(stage.status).to.include({ orphans: 1, lastSweepTime: '2026-01-01T00:00:00Z' });
    expect(stage.orphans.get('us-south')).to.equal(1);
    await stage.clock.advance(DELAY - 1);
    await stage.look();
    expect(stage.revoked).to.deep.equal([]);
    await stage.clock.advance(1);
    expect(await stage.look()).to.deep.equal({ requeueAfter: HOUR });
    expect(stage.revoked).to.deep.equal(['a']);
    expect(stage.events).to.deep.equal(['OrphanRevoked']);
    expect(stage.lines).to.deep.equal(['orphan token revoked']);
    expect(stage.status).to.include({ orphans: 0, lastSweepTime: '2026-01-01T00:10:00Z' });
    expect(stage.orphans.get('us-south')).to.equal(0);
  });

  for (const [clock, skew, told] of [
    ['is behind this machine’s', -2 * HOUR, ['OrphanRevoked']],
    ['is ahead of it', 2 * HOUR, []],
  ] as const)
    it(`takes for expired, which nobody is told of, what is so by the registry’s clock, which ${clock}`, async () => {
      stage.skew = skew;
      stage.add('us-south', 'a', orphanTag(), stage.clock.now() + (skew < 0 ? -HOUR : HOUR));
      await stage.run(DELAY);
      await stage.look();
      expect([stage.events, stage.revoked]).to.deep.equal([told, ['a']]);
    });

  it('says of no orphan that it was revoked which the registry no longer had', async () => {
    stage.add('us-south', 'a');
    stage.unknownIds.add('a');
    await stage.look();
    await stage.clock.advance(DELAY);
    await stage.look();
    expect(stage.events).to.deep.equal([]);
    expect(stage.counted).to.deep.equal([]);
    expect(stage.status.orphans).to.equal(0);
  });

  it('deletes what tokens hung on though the registry refuses to delete many that expired', async () => {
    for (let n = 0; n < 200; n++) {
      stage.add('us-south', `expired-${n}`, orphanTag(), 0);
      stage.refusals.set(`expired-${n}`, new RegistryError('Forbidden', 'no'));
    }
    stage.addIdentity('us-south', 'identity');
    stage.revocationTime = 1_000;
    for (let n = 0; n < 4; n++) {
      const look = stage.look();
      await stage.clock.advance(DELAY);
      await look;
    }
    expect(stage.revoked).to.deep.equal(['identity']);
  });

  for (const code of ['Unavailable', 'Conflict', 'NotFound'] as const)
    it(`revokes all others where the registry fails at one of them (${code}), which the account does not count as swept`, async () => {
      stage.refusals.set('a', new RegistryError(code, 'not this one'));
      stage.refusals.set('expired', new RegistryError(code, 'nor this one'));
      for (const id of ['a', 'b']) stage.add('us-south', id);
      stage.add('us-south', 'expired', orphanTag(), 0);
      stage.addIdentity('us-south', 'identity');
      await stage.run(2 * HOUR);
      expect(stage.revoked).to.have.members(['b', 'identity']);
    });

  it('finds after a restart what was left before it', async () => {
    stage.add('us-south', 'a');
    await stage.run(DELAY - 1);
    stage.restart();
    await stage.run(DELAY - 1);
    expect(stage.revoked).to.deep.equal([]);
    await stage.run(MINUTE);
    expect(stage.revoked).to.deep.equal(['a']);
  });

  it('--sweep=report revokes nothing and tells of each once', async () => {
    stage = new SweepStage({ sweep: 'report' });
    stage.add('us-south', 'a');
    await stage.run(5 * HOUR);
    expect(stage.revoked).to.deep.equal([]);
    expect(stage.events).to.deep.equal(['OrphanFound']);
    expect(stage.status.orphans).to.equal(1);
  });

  it('--sweep=report tells of many at once in one event, which names some, and of each in the log', async () => {
    stage = new SweepStage({ sweep: 'report' });
    const orphan = (id: number): void =>
      stage.add('us-south', `id-${id}`, orphanTag({ nonce: String(id).padStart(8, 'n') }));
    for (let id = 0; id < 30; id++) orphan(id);
    await stage.run(HOUR);
    expect(stage.events).to.deep.equal(['OrphanFound']);
    expect(stage.notes[0]).to.match(/^tokens in us-south: 30; .*: id-0, .*id-9 and 20 more$/);
    expect(stage.lines.filter((line) => line.startsWith('orphan token found'))).to.have.length(30);
    orphan(30);
    await stage.run(3 * HOUR);
    expect(stage.notes[1]).to.match(/^tokens in us-south: 1; .*: id-30$/);
    expect(stage.occasions).to.have.length(2);
  });

  it('leaves other clusters, hand-made and damaged tokens alone', async () => {
    stage.add('us-south', 'a', orphanTag({ clusterId: 'another' }));
    stage.add('us-south', 'b', 'made by hand');
    stage.add('us-south', 'c', orphanTag().slice(0, -2));
    await stage.run(5 * HOUR);
    expect(stage.revoked).to.deep.equal([]);
  });

  describe('looks at the API server itself before it revokes', () => {
    const uses: [string, () => void][] = [
      [
        'a RegistryToken',
        () => (stage.tokens = [anIssuedToken({ status: { token: aRecord({ id: 'a' }) } })]),
      ],
      [
        'a Secret',
        () =>
          (stage.secrets = [
            {
              apiVersion: 'v1',
              kind: 'Secret',
              metadata: aSecret({ metadata: { annotations: { 'pullsecrets.dev/token-id': 'a' } } }).metadata,
            },
          ]),
      ],
    ];
    for (const [what, use] of uses) {
      it(`${what} that the watches did not show keeps a token alive`, async () => {
        stage.add('us-south', 'a');
        stage.watched = { tokens: [] };
        await stage.look();
        await stage.clock.advance(DELAY);
        use();
        await stage.look();
        expect(stage.revoked).to.deep.equal([]);
        expect(stage.status.orphans).to.equal(0);
      });
    }

    it('revokes nothing while it can not be asked, and goes on once it can', async () => {
      stage.add('us-south', 'a');
      await stage.look();
      await stage.clock.advance(DELAY);
      stage.apiServerFails = true;
      const error = await stage.look().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).to.be.instanceOf(KubeError);
      expect(stage.revoked).to.deep.equal([]);
      stage.apiServerFails = false;
      await stage.look();
      expect(stage.revoked).to.deep.equal(['a']);
    });
  });

  it('a process that lost its lease stops, and counts no failure of the registry', async () => {
    stage.add('us-south', 'a');
    await stage.look();
    await stage.clock.advance(DELAY);
    stage.mayRevoke = false;
    const error = await stage.look().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).to.be.instanceOf(LeadershipLost);
    expect(stage.revoked).to.deep.equal([]);
    expect(stage.counted).to.deep.equal([]);
  });

  it('a list that fails revokes nothing and forgets nothing', async () => {
    stage.add('us-south', 'a');
    await stage.look();
    stage.down.set('us-south', outage);
    await stage.run(DELAY + MINUTE);
    expect(stage.revoked).to.deep.equal([]);
    expect(stage.status.orphans).to.equal(1);
    stage.down.clear();
    await stage.run(10 * MINUTE);
    expect(stage.revoked).to.deep.equal(['a']);
  });

  it('a region that is down delays no other, and is asked ever more rarely', async () => {
    stage.account = anAccount({ spec: elsewhere('us-south', 'eu-de') });
    stage.tokens = [anIssuedToken({ spec: { region: 'eu-de' } })];
    stage.add('us-south', 'a');
    stage.add('us-south', 'token-1');
    stage.down.set('eu-de', outage);
    await stage.run(HOUR - 1);
    expect(stage.revoked).to.deep.equal(['a']);
    expect(stage.listed.filter((region) => region === 'us-south')).to.have.length(2);
    expect(stage.listed.filter((region) => region === 'eu-de').length).to.be.within(10, 30);
  });

  it('regions that nothing names are looked at only where they are IBM Cloud’s, and not again before their time', async () => {
    await stage.look();
    expect(stage.listed).to.deep.equal(['us-south']);
    stage = new SweepStage();
    stage.account = anAccount();
    stage.down.set('jp-tok', outage);
    stage.add('eu-es', 'a');
    await stage.run(HOUR - 1);
    expect(stage.revoked).to.deep.equal(['a']);
    expect(stage.listed.filter((region) => region === 'jp-tok')).to.have.length(1);
    expect(stage.lines).to.deep.equal(['orphan token revoked']);
  });

  it('looks at once where a RegistryToken left tokens, and there until it has seen them', async () => {
    stage.account = anAccount({ spec: elsewhere('us-south', 'eu-de') });
    stage.down.set('eu-de', outage);
    await stage.look();
    expect(stage.listed).to.have.members(['us-south', 'eu-de']);
    stage.sweeper.leftBehind('gone', issuedIn('eu-de'));
    expect(stage.enqueued).to.deep.equal(['default']);
    await stage.run(DELAY);
    expect(stage.listed.filter((region) => region === 'us-south')).to.have.length(1);
    stage.add('eu-de', 'a');
    stage.down.clear();
    await stage.run(20 * MINUTE);
    expect(stage.revoked).to.deep.equal(['a']);
    await stage.run(3 * HOUR);
    expect(stage.orphans.get('eu-de')).to.equal(0);
  });

  it('revokes what was unused for the delay, also where each list takes longer than that', async () => {
    stage.add('us-south', 'a');
    stage.listTime = 2 * DELAY;
    await stage.run(6 * DELAY);
    expect(stage.revoked).to.deep.equal(['a']);
  });

  it('looks for a token that came late of a request that was given up', async () => {
    await stage.look();
    const { listed } = stage;
    const before = listed.length;
    stage.sweeper.requestLost(issuedIn('us-south'));
    await stage.run(2 * MINUTE);
    expect(listed.slice(before)).to.deep.equal(['us-south']);
  });

  it('looks for one that came late once lists can not lack it any more', async () => {
    stage.account = anAccount({
      spec: {
        ...elsewhere('us-south'),
        ibmRegistryTokens: undefined,
        ibmCloud: { iamEndpoint: 'https://iam.example' },
      },
    });
    const place = { ...placeIn('us-south'), endpoint: 'https://iam.example' };
    stage.moved.set('us-south', place);
    stage.listLag = MINUTE;
    await stage.run(2 * MINUTE);
    const { listed } = stage;
    const before = listed.length;
    stage.sweeper.requestLost({ ...issuedIn('us-south'), place });
    await stage.run(2 * MINUTE - 1);
    expect(listed.length).to.equal(before);
    await stage.run(2);
    expect(listed.slice(before)).to.deep.equal(['us-south']);
  });

  describe('what a RegistryToken left is found', () => {
    const left = anIssuedToken({ metadata: { uid: 'gone' }, status: { token: aRecord({ id: 'a' }) } });
    beforeEach(async () => {
      await stage.look();
      stage.add('us-south', 'a');
    });

    it('though the watches have not noticed yet that it is gone', async () => {
      stage.watched = { tokens: [left] };
      stage.sweeper.leftBehind('gone', issuedIn('us-south'));
      await stage.run(DELAY + 1);
      expect(stage.revoked).to.deep.equal(['a']);
    });

    it('also by an operator of a few namespaces', async () => {
      stage = new SweepStage({ namespaces: ['team'] });
      await stage.look();
      stage.add('us-south', 'a');
      stage.watched = { tokens: [left], deleted: [] };
      stage.sweeper.leftBehind('gone', issuedIn('us-south'));
      await stage.look();
      stage.watched = { tokens: [], deleted: ['gone'] };
      await stage.run(DELAY + 1);
      expect(stage.revoked).to.deep.equal(['a']);
    });

    it('though it was still there at the first look: its finalizer was just being removed', async () => {
      stage.tokens = [left];
      stage.sweeper.leftBehind('gone', issuedIn('us-south'));
      expect(await stage.look()).to.deep.equal({ requeueAfter: 10_000 });
      stage.tokens = [];
      await stage.run(DELAY + 10_001);
      expect(stage.revoked).to.deep.equal(['a']);
      expect(await stage.look())
        .to.have.property('requeueAfter')
        .greaterThan(30 * MINUTE);
    });

    it('though somebody else’s finalizer holds it up', async () => {
      const deletionTimestamp = new Date(stage.clock.now()).toISOString();
      const { metadata } = left;
      stage.tokens = [{ ...left, metadata: { ...metadata, deletionTimestamp, finalizers: ['others/own'] } }];
      stage.sweeper.leftBehind('gone', issuedIn('us-south'));
      await stage.run(DELAY + 1);
      expect(stage.revoked).to.deep.equal(['a']);
    });

    it('though the registry did not list it yet at the first look', async () => {
      stage = new SweepStage();
      await stage.look();
      stage.listLag = MINUTE;
      stage.sweeper.leftBehind('gone', issuedIn('us-south'));
      expect(await stage.look()).to.deep.equal({ requeueAfter: MINUTE });
      stage.add('us-south', 'a');
      await stage.run(DELAY + MINUTE + 1);
      expect(stage.revoked).to.deep.equal(['a']);
    });

    it('though it went right before a restart, and the first list lacks it, where lists can lag', async () => {
      stage.listLag = MINUTE;
      stage.regions.clear();
      stage.restart();
      expect(await stage.look()).to.deep.equal({ requeueAfter: MINUTE });
      stage.add('us-south', 'a');
      await stage.run(MINUTE + DELAY + 1);
      expect(stage.revoked).to.deep.equal(['a']);
    });

    it('though it was reported while a look was under way', async () => {
      await stage.clock.advance(HOUR);
      stage.whileListing = () => stage.sweeper.leftBehind('gone', issuedIn('us-south'));
      stage.watched = { tokens: [left] };
      expect(await stage.look()).to.deep.equal({ requeueAfter: 0 });
      await stage.run(DELAY + 1);
      expect(stage.revoked).to.deep.equal(['a']);
    });
  });

  it('many that go while the registry is down do not put off its next try', async () => {
    stage.down.set('us-south', outage);
    for (let gone = 0; gone < 10; gone++) {
      stage.sweeper.leftBehind(`gone-${gone}`, issuedIn('us-south'));
      await stage.look();
    }
    expect(stage.listed).to.deep.equal(['us-south']);
    stage.down.clear();
    await stage.run(2_001);
    expect(stage.listed).to.deep.equal(['us-south', 'us-south']);
  });

  it('an account that went and came back: what it owes is revoked', async () => {
    const account = anAccount({ spec: elsewhere('us-south', 'eu-de') });
    stage.account = undefined;
    stage.add('eu-de', 'a');
    stage.sweeper.leftBehind('gone', issuedIn('eu-de'));
    expect(await stage.look()).to.equal(undefined);
    expect(stage.orphans.size).to.equal(0);
    stage.account = account;
    stage.sweeper.accountChanged('default');
    await stage.run(2 * DELAY);
    expect(stage.revoked).to.deep.equal(['a']);
  });

  it('an account that went and came back is looked at at once, whenever it was due', async () => {
    const { account } = stage;
    await stage.look();
    stage.account = undefined;
    await stage.look();
    stage.account = account;
    // What an intent gave that was given up while the account was gone.
    stage.add('us-south', 'a');
    await stage.run(DELAY + 1);
    expect(stage.revoked).to.deep.equal(['a']);
  });

  it('what a RegistryToken left is looked for in the region that leads to its place by now', async () => {
    stage.account = anAccount({ spec: elsewhere('us-south', 'eu-de') });
    await stage.look();
    stage.listed.length = 0;
    stage.sweeper.leftBehind('gone', { ...issuedIn('eu-de'), region: 'frankfurt' });
    await stage.look();
    expect(stage.listed).to.deep.equal(['eu-de']);
  });

  it('what a RegistryToken left at a place is looked for as soon as its region leads there again', async () => {
    stage.moved.set('us-south', anotherIn('us-south'));
    await stage.look();
    stage.sweeper.leftBehind('gone', issuedIn('us-south'));
    await stage.look();
    stage.moved.clear();
    stage.add('us-south', 'a', orphanTag({ uid: 'gone' }));
    await stage.run(DELAY + 1);
    expect(stage.revoked).to.deep.equal(['a']);
  });

  it('credentials that came back end the pause after a failure', async () => {
    stage.down.set('us-south', new RegistryError('Unauthorized', 'the key was refused'));
    await stage.look();
    stage.down.clear();
    stage.add('us-south', 'a');
    stage.sweeper.accountChanged('default');
    await stage.look();
    expect(stage.status.orphans).to.equal(1);
  });

  it('with some namespaces in view, it speaks only for RegistryTokens it sees or saw deleted', async () => {
    stage = new SweepStage({ namespaces: ['team'] });
    stage.watched = { deleted: ['seen'] };
    stage.add('us-south', 'a', orphanTag({ uid: 'elsewhere' }));
    stage.add('us-south', 'b', orphanTag({ uid: 'seen' }));
    await stage.run(5 * HOUR);
    expect(stage.revoked).to.deep.equal(['b']);
  });

  it('many orphans are all revoked, in looks of two minutes', async () => {
    for (let n = 0; n < 45; n++) stage.add('us-south', `token-${n}`);
    await stage.look();
    await stage.clock.advance(DELAY);
    stage.revocationTime = 6_000;
    for (const [revoked, requeueAfter] of [
      [20, 0],
      [40, 0],
      [45, HOUR],
    ] as const) {
      const look = stage.look();
      await stage.clock.advance(2 * MINUTE);
      expect(await look).to.deep.equal({ requeueAfter });
      expect(stage.revoked).to.have.length(revoked);
    }
  });

  it('a second sweep that finds what the first found writes nothing but the time', async () => {
    await stage.look();
    const { lastSweepTime: _, ...before } = stage.status;
    await stage.run(2 * HOUR + MINUTE);
    const { lastSweepTime, ...after } = stage.status;
    expect(after).to.deep.equal(before);
    expect(lastSweepTime).to.equal('2026-01-01T02:00:00Z');
  });
});
