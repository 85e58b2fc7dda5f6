import { expect } from 'chai';
import { RegistryError } from '../../../src/registry/errors.ts';
import {
  anIntent,
  anIssuedToken,
  aPrevious,
  aRecord,
  aSecret,
  HOUR,
  MINUTE,
  SECOND,
} from '../../support/builders.ts';
import { DELAY, orphanTag, SweepStage } from './support/sweep-stage.ts';

const UID = 'here';
const mine = (part: { revision?: number; nonce?: string } = {}): string => orphanTag({ uid: UID, ...part });

describe('what tokens of a RegistryToken hang on, when no token hangs on it any more,', () => {
  let stage: SweepStage;
  beforeEach(() => {
    stage = new SweepStage();
    stage.addIdentity('us-south', 'identity');
  });

  /** A RegistryToken that has one token, made for `hash`. */
  const aUser = (status: object = {}) =>
    anIssuedToken({
      metadata: { uid: UID },
      status: { token: aRecord({ id: 'a', specHash: 'hash' }), ...status },
    });

  it('is deleted once it was seen so for the delay, and by two looks at least', async () => {
    expect(await stage.look()).to.deep.equal({ requeueAfter: DELAY });
    await stage.clock.advance(DELAY - 1);
    await stage.look();
    expect(stage.revoked).to.deep.equal([]);
    await stage.clock.advance(1);
    expect(await stage.look()).to.deep.equal({ requeueAfter: HOUR });
    expect(stage.revoked).to.deep.equal(['identity']);
    expect(stage.lines).to.deep.equal(['deleted what tokens of a RegistryToken hung on']);
    expect(stage.events).to.deep.equal([]);
    expect(stage.status.orphans, 'it is no token').to.equal(0);
  });

  it('is deleted after the tokens that were left on it, each of which is told of', async () => {
    stage.add('us-south', 'left');
    await stage.run(DELAY + MINUTE);
    expect(stage.revoked).to.deep.equal(['left', 'identity']);
    expect(stage.events).to.deep.equal(['OrphanRevoked']);
  });

  it('stays while the tokens that were left on it can not be revoked', async () => {
    stage.add('us-south', 'left');
    await stage.look();
    await stage.clock.advance(DELAY);
    stage.refusal = new RegistryError('Unavailable', 'down');
    await stage.look();
    stage.refusal = undefined;
    expect(stage.revoked).to.deep.equal([]);
    await stage.look();
    await stage.run(MINUTE);
    expect(stage.revoked).to.deep.equal(['left', 'identity']);
  });

  it('stays where --sweep=report', async () => {
    stage = new SweepStage({ sweep: 'report' });
    stage.addIdentity('us-south', 'identity');
    await stage.run(5 * HOUR);
    expect(stage.revoked).to.deep.equal([]);
  });

  it('stays where it is another cluster’s', async () => {
    stage.regions.clear();
    stage.addIdentity('us-south', 'theirs', { clusterId: 'another' });
    await stage.run(5 * HOUR);
    expect(stage.revoked).to.deep.equal([]);
  });

  it('stays where a RegistryToken is not in view that can have it', async () => {
    stage = new SweepStage({ namespaces: ['team'] });
    stage.watched = { deleted: ['seen'] };
    stage.addIdentity('us-south', 'elsewhere', { uid: 'elsewhere' });
    stage.addIdentity('us-south', 'seen', { uid: 'seen' });
    await stage.run(5 * HOUR);
    expect(stage.revoked).to.deep.equal(['seen']);
  });

  const inUse: [what: string, status: object][] = [
    ['the token in force', {}],
    [
      'a previous token',
      {
        token: aRecord({ id: 'b', specHash: 'new' }),
        previousTokens: [aPrevious({ id: 'a', specHash: 'hash' })],
      },
    ],
    ['a mint that was begun', { token: undefined, mintIntent: anIntent({ specHash: 'hash' }) }],
  ];
  for (const [what, status] of inUse)
    it(`stays while its RegistryToken has ${what} for it`, async () => {
      stage.regions.clear();
      stage.addIdentity('us-south', 'identity', { uid: UID });
      stage.addIdentity('us-south', 'former', { uid: UID, specHash: 'former' });
      stage.tokens = [aUser(status)];
      await stage.run(5 * HOUR);
      expect(stage.revoked).to.deep.equal(['former']);
    });

  it('stays where a mint for it was begun between the looks', async () => {
    stage.regions.clear();
    stage.addIdentity('us-south', 'identity', { uid: UID, specHash: 'new' });
    stage.tokens = [aUser()];
    await stage.look();
    await stage.clock.advance(DELAY);
    stage.watched = { tokens: [aUser()] };
    stage.tokens = [aUser({ mintIntent: anIntent({ specHash: 'new' }) })];
    await stage.look();
    expect(stage.revoked).to.deep.equal([]);
  });

  it('stays where its RegistryToken has a token that its status does not name: nobody knows what that hangs on', async () => {
    stage.regions.clear();
    stage.addIdentity('us-south', 'identity', { uid: UID, specHash: 'another' });
    stage.tokens = [aUser()];
    stage.add('us-south', 'a', mine());
    stage.add('us-south', 'placed', mine({ revision: 2, nonce: 'nonce000' }));
    stage.secrets = [{ apiVersion: 'v1', kind: 'Secret', ...aSecret() }];
    const [secret] = stage.secrets;
    if (!secret) expect.fail('no Secret');
    secret.metadata.annotations = {
      ...secret.metadata.annotations,
      'pullsecrets.dev/token-id': 'placed',
    };
    await stage.run(5 * HOUR);
    expect(stage.revoked).to.deep.equal([]);
    stage.tokens = [aUser({ previousTokens: [aPrevious({ id: 'placed', specHash: 'third' })] })];
    await stage.run(3 * HOUR);
    expect(stage.revoked).to.deep.equal(['identity']);
  });

  it('stays where a Secret or an account keeps a token of a RegistryToken that is gone', async () => {
    const secret = aSecret({ metadata: { annotations: { 'pullsecrets.dev/token-id': 'kept' } } });
    stage.secrets = [{ apiVersion: 'v1', kind: 'Secret', ...secret }];
    stage.add('us-south', 'kept');
    await stage.run(5 * HOUR);
    expect(stage.revoked).to.deep.equal([]);
    stage.secrets = [];
    await stage.run(3 * HOUR);
    expect(stage.revoked).to.deep.equal(['kept', 'identity']);
  });

  it('stays while another cluster seems to use the same cluster id: its tokens can hang on it', async () => {
    stage.tokens = [aUser()];
    stage.add('us-south', 'a', mine());
    stage.add('us-south', 'unknown', mine({ revision: 7, nonce: 'another0' }));
    await stage.run(5 * HOUR);
    expect(stage.events).to.deep.equal(['ClusterIdConflict']);
    expect(stage.revoked).to.deep.equal([]);
    stage.regions.set(
      'us-south',
      (stage.regions.get('us-south') ?? []).filter(({ id }) => id !== 'unknown'),
    );
    await stage.run(3 * HOUR);
    expect(stage.revoked).to.deep.equal(['identity']);
  });

  it('stays, with a warning, where the registry does not let it go; others go, and it is tried again', async () => {
    stage.addIdentity('us-south', 'another');
    await stage.look();
    await stage.clock.advance(DELAY);
    stage.refusals.set('identity', new RegistryError('Conflict', 'it has API keys'));
    await stage.look();
    expect(stage.revoked).to.deep.equal(['another']);
    expect(stage.lines[0]).to.equal('what tokens of a RegistryToken hung on is not deleted: it has API keys');
    expect(stage.status).to.have.property('lastSweepTime');
    stage.refusals.clear();
    await stage.run(HOUR + MINUTE);
    expect(stage.revoked).to.deep.equal(['another', 'identity']);
  });

  it('stays where the registry fails, and is tried again soon', async () => {
    await stage.look();
    await stage.clock.advance(DELAY);
    stage.refusals.set('identity', new RegistryError('Unavailable', 'the registry is down'));
    expect(await stage.look()).to.deep.equal({ requeueAfter: 2 * SECOND });
    stage.refusals.clear();
    await stage.run(2 * SECOND);
    await stage.look();
    expect(stage.revoked).to.deep.equal(['identity']);
  });

  it('is deleted in looks of two minutes, and what uses tokens is asked for again for each twenty', async () => {
    stage.regions.clear();
    for (let n = 0; n < 45; n++) stage.addIdentity('us-south', `identity-${n}`);
    await stage.look();
    await stage.clock.advance(DELAY);
    stage.revocationTime = 6_000;
    stage.requests.length = 0;
    for (const [deleted, requeueAfter] of [
      [20, 0],
      [40, 0],
      [45, HOUR],
    ] as const) {
      const look = stage.look();
      await stage.clock.advance(2 * MINUTE);
      expect(await look).to.deep.equal({ requeueAfter });
      expect(stage.revoked).to.have.length(deleted);
    }
  });
});
