import { expect } from 'chai';
import { CAPABILITIES, SPOILS_TOKENS, LIFETIME, where } from '../support/tested-registry.ts';
import { World } from '../support/world.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;

describe('an operator whose clock is wrong', () => {
  let world: World;
  before(async () => {
    world = await World.start();
  });
  afterEach(() => world.stopOperator());
  after(() => world.close());

  for (const wrong of [HOUR, -HOUR, 25 * HOUR, -25 * HOUR]) {
    it(`by ${wrong / HOUR} h: one token, which lives, and a condition that says so`, async () => {
      world.startOperator({}, undefined, wrong);
      const namespace = await world.createNamespace();
      const name = await world.createToken(namespace);
      const { status, metadata } = await world.whenReady(name, { status: 'True', reason: 'ClocksDiffer' });
      const ready = status?.conditions?.find(({ type }) => type === 'Ready');
      expect(ready?.message).to.match(/the operator's clock is \S+ (behind|ahead of) the registry's/);
      const life = Date.parse(status?.token?.expiresAt ?? '') - Date.parse(status?.token?.issuedAt ?? '');
      expect(life).to.be.within(LIFETIME - 5_000, LIFETIME + 2 * MINUTE);
      expect(Date.parse(status?.nextRotationTime ?? '')).to.be.greaterThan(Date.now() + 0.58 * LIFETIME);

      await world.stopOperator();
      world.startOperator({}, undefined, wrong);
      await world.patchToken(name, { spec: { secret: { labels: { touched: 'yes' } } } });
      await world.eventually('the Secret has the label', async () => {
        const { labels } = (await world.secret(name)).metadata;
        return labels?.['touched'] === 'yes' ? { value: true } : { seen: JSON.stringify(labels) };
      });
      if (CAPABILITIES.issue === 'minted') expect(world.tokensOf(metadata.uid)).to.have.length(1);
    });
  }
});

where(SPOILS_TOKENS && CAPABILITIES.issue === 'minted').describe(
  'a registry whose tokens are dead when they come',
  () => {
    let world: World;
    before(async () => {
      world = await World.start();
      world.startOperator();
    });
    afterEach(() => world.registry.faults.clear());
    after(() => world.close());

    it('no Secret is written with one, few are asked for, and it works as soon as the registry does', async () => {
      const namespace = await world.createNamespace();
      world.registry.faults.add({ operation: 'mint', kind: 'expired' });
      const name = await world.createToken(namespace);
      const { status } = await world.whenReady(name, { status: 'False', reason: 'ClockSkew' });
      expect(status?.conditions?.map(({ type }) => type)).to.include('Reconciling');
      expect(status?.nextRetryTime).to.not.equal(undefined);
      expect(await world.exists(world.secret(name))).to.equal(false);
      expect(world.issued).to.be.at.most(2);
      world.registry.faults.clear();
      await world.whenReady(name);
    });

    it('the token in force stays, and so does its Secret', async () => {
      const namespace = await world.createNamespace();
      const name = await world.createToken(namespace);
      const { status } = await world.whenReady(name);
      world.registry.faults.add({ operation: 'mint', kind: 'expired' });
      await world.patchToken(name, { metadata: { annotations: { 'pullsecrets.dev/rotate': 'now' } } });
      const after = await world.eventually('it says so', async () => {
        const token = await world.token(name);
        const reason = token.status?.conditions?.find(({ type }) => type === 'Reconciling')?.reason;
        return reason === 'ClockSkew' ? { value: token } : { seen: JSON.stringify(token.status) };
      });
      expect(after.status?.token).to.deep.equal(status?.token);
      expect(after.status?.conditions?.find(({ type }) => type === 'Ready')?.status).to.equal('True');
      expect((await world.secret(name)).metadata.annotations).to.include({
        'pullsecrets.dev/token-id': status?.token?.id,
      });
    });
  },
);
