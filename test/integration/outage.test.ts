import { expect } from 'chai';
import type { RegistryToken } from '../../src/api/registry-token.ts';
import type { ObjectName } from '../../src/common/objects.ts';
import { CAPABILITIES, LISTS_AT_ONCE, where } from '../support/tested-registry.ts';
import { World } from '../support/world.ts';

const MANY = 20;
const rotate = (value: string) => ({ metadata: { annotations: { 'pullsecrets.dev/rotate': value } } });
const readyOf = ({ status }: RegistryToken) => status?.conditions?.find(({ type }) => type === 'Ready');

where(CAPABILITIES.issue === 'minted' && LISTS_AT_ONCE).describe('an outage of a registry', () => {
  let world: World;
  let namespace: string;
  let names: ObjectName[];
  before(async () => {
    world = await World.start();
    world.startOperator();
    namespace = await world.createNamespace();
    world.registry.faults.add({ operation: 'mint', kind: 'status', status: 503 });
    names = [];
    for (let n = 0; n < MANY; n++) names.push(await world.createToken(namespace));
  });
  after(() => world.close());

  const all = (): Promise<RegistryToken[]> => Promise.all(names.map((name) => world.token(name)));

  it('is told to all that wait, with its cause, and costs few of them a try', async () => {
    const tokens = await world.eventually('all wait', async () => {
      const seen = await all();
      const waiting = seen.filter((each) => /has been unavailable since/.test(readyOf(each)?.message ?? ''));
      const told = seen.every(
        (each) => readyOf(each)?.reason !== undefined && readyOf(each)?.reason !== 'Issuing',
      );
      return told && waiting.length >= MANY - 6
        ? { value: seen }
        : { seen: seen.map((each) => readyOf(each)?.message).join('\n') };
    });
    for (const token of tokens)
      expect(readyOf(token)?.reason).to.match(/RegistryUnavailable|MintUnconfirmed/);
    const waiting = tokens.filter((each) => /has been unavailable since/.test(readyOf(each)?.message ?? ''));
    expect(readyOf(waiting[0]!)?.message).to.match(
      /^account default at 127\.0\.0\.1:\d+ has been unavailable since \S+: the server answered 503.*; will retry as soon as it answers$/,
    );
    const untouched = tokens.filter(({ status }) => status?.failedAttempts === undefined);
    expect(untouched.length).to.be.at.least(MANY - 8);
  });

  it('is over for all of them once it is for one, which a rotation that people ask for finds out at once', async () => {
    const [first] = names;
    world.registry.faults.clear();
    await world.patchToken(first!, rotate('now'));
    // Each would wait far longer for its own next try: up to five minutes.
    await world.whenReady(first!, { status: 'True' }, 15_000);
    for (const name of names) await world.whenReady(name, { status: 'True' }, 30_000);
    for (const { status } of await all())
      expect(status).to.not.have.any.keys('failedAttempts', 'nextRetryTime');
    expect(world.issued).to.equal(MANY);
  });
});
