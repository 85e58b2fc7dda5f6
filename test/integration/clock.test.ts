import { expect } from 'chai';
import { World } from '../support/world.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

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
      const { status, metadata } = await world.whenReady(name, { status: 'True', reason: 'ClockSkew' });
      const ready = status?.conditions?.find(({ type }) => type === 'Ready');
      expect(ready?.message).to.match(
        /the operator's clock \(\S+Z\) is \S+ (behind|ahead of) the registry's \(\S+Z\)/,
      );
      const life = Date.parse(status?.token?.expiresAt ?? '') - Date.parse(status?.token?.issuedAt ?? '');
      expect(life).to.be.within(DAY - 5_000, DAY + 5_000);
      expect(Date.parse(status?.nextRotationTime ?? '')).to.be.greaterThan(Date.now() + 14 * HOUR);

      await world.stopOperator();
      world.startOperator({}, undefined, wrong);
      await world.patchToken(name, { spec: { secret: { labels: { touched: 'yes' } } } });
      await world.eventually('the Secret has the label', async () => {
        const { labels } = (await world.secret(name)).metadata;
        return labels?.['touched'] === 'yes' ? { value: true } : { seen: JSON.stringify(labels) };
      });
      const made = world.service.tokens().filter(({ description }) => description.includes(metadata.uid));
      expect(made).to.have.length(1);
    });
  }
});
