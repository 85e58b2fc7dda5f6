import { expect } from 'chai';
import { findCondition } from '../../src/api/conditions.ts';
import { REGISTRY_TOKENS } from '../../src/api/resources.ts';
import { SECRETS } from '../../src/kube/client/resources.ts';
import { aToken, HOUR, MINUTE } from '../support/builders.ts';
import { CALM } from './climate.ts';
import { NOTHING, sum, type Outcome } from './figures.ts';
import { bothOf, VARIANTS } from './registries/registries.ts';
import { runSeeds } from './seed-runner.ts';
import { simulate } from './simulation.ts';
import { World } from './world.ts';

/** A few of those that the command line runs (npm run test:simulation). */
const SEEDS = 40;

function check(outcomes: readonly Outcome[]): void {
  const failed = outcomes.filter(({ violations }) => violations.length > 0);
  const lines = failed.map(({ seed, violations }) => `seed ${seed}: ${violations.join('; ')}`);
  expect(lines, 'for a journal: npm run test:simulation -- --seed N').to.deep.equal([]);
}

describe('a simulated operator', () => {
  it(`keeps its promises in whatever trouble: seeds 1 to ${SEEDS}`, async function () {
    this.timeout(120_000);
    const outcomes = await runSeeds(1, SEEDS);
    check(outcomes);
    const { webhooks, restores } = outcomes.map(({ figures }) => figures).reduce(sum, NOTHING);
    expect(Math.min(webhooks, restores)).to.be.above(0);
  });

  for (const name of VARIANTS)
    it(`creates exactly the tokens that are called for while nothing goes wrong: ${name}`, async () => {
      const deeds = [
        'create',
        'create',
        'rotate',
        'changeRelevant',
        'rotate',
        'changeIrrelevant',
        'delete',
      ] as const;
      // As long as any registry takes to accept a token.
      const script = { deeds, pause: 6 * MINUTE };
      const outcome = await simulate({ seed: 1, climate: CALM, choice: bothOf(name), script });
      check([outcome]);
      expect(outcome.figures).to.include({ lost: 0, swept: 0, recorded: outcome.figures.mints });
      expect(outcome.figures.mints + outcome.figures.exchanges).to.be.above(0);
    });

  it('exchanges no more often than once a minute for what is asked alike, however often users ask for another token', async () => {
    const deeds = [...Array<'create'>(4).fill('create'), ...Array<'rotate'>(30).fill('rotate')];
    for (let seed = 1; seed <= 4; seed++)
      check([
        await simulate({
          seed,
          climate: CALM,
          choice: bothOf('Amazon ECR with a role'),
          script: { deeds, pause: 4_000 },
        }),
      ]);
  });

  it('tells that an administrator’s service ID runs out of API keys, before and when it does, and goes on once some are gone', async () => {
    const variant = 'IBM Cloud with one service ID';
    const world = new World({ seed: 5, climate: CALM, choice: bothOf(variant) });
    world.settings.mintBudget = 0;
    await world.begin();
    const { access } = world.registries.of('default');
    const { apiVersion, kind } = aToken();
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    for (const name of names)
      await world.user.create(REGISTRY_TOKENS, {
        apiVersion,
        kind,
        metadata: { namespace: 'team-a', name },
        spec: { access: access[0], rotation: { gracePeriod: '1h' } },
      });
    const warned = (): boolean =>
      world
        .accounts()
        .some(({ status }) =>
          findCondition(status?.conditions, 'Ready')?.message?.includes('of at most 20 API keys'),
        );
    const reasons = (): Set<string | undefined> =>
      new Set(world.tokens().map(({ status }) => status?.reason));
    const told: [warned: boolean, refused: boolean][] = [];
    for (const request of ['1', '2', '3', '4']) {
      // The account is looked at every ten minutes.
      await world.clock.advance(11 * MINUTE);
      told.push([warned(), reasons().has('RegistryQuotaExceeded')]);
      const metadata = { annotations: { 'pullsecrets.dev/rotate': request } };
      for (const name of names)
        await world.user.mergePatch(REGISTRY_TOKENS, { namespace: 'team-a', name }, { metadata });
    }
    // With 6, 12, 18 and 20 keys.
    expect(told).to.deep.equal([
      [false, false],
      [false, false],
      [true, false],
      [true, true],
    ]);
    await world.clock.advance(3 * HOUR);
    expect([warned(), ...reasons()]).to.deep.equal([false, 'Issued']);
    expect(world.audit.violations).to.deep.equal([]);
    world.leader?.kill();
    world.server.close();
  });

  it('leaves no living token when a RegistryToken goes, though by its clock, a day and an hour ahead, it has expired', async () => {
    const world = new World({ seed: 1, climate: CALM, choice: bothOf('IBM registry tokens') });
    await world.begin();
    await world.clock.advance(MINUTE);
    if (world.leader) world.leader.clock.skew = 25 * HOUR;
    const name = { namespace: 'team-a', name: 'app' };
    const { apiVersion, kind } = aToken();
    const spec = { rotation: { policy: 'Manual' } };
    await world.user.create(REGISTRY_TOKENS, { apiVersion, kind, metadata: name, spec });
    await world.clock.advance(HOUR);
    const living = () => world.registries.tokens().filter(({ id }) => world.audit.mints.get(id));
    expect(living()).to.have.length(1);
    await world.user.delete(REGISTRY_TOKENS, name);
    await world.clock.advance(MINUTE);
    expect([world.tokens(), living(), world.audit.violations]).to.deep.equal([[], [], []]);
    world.leader?.kill();
    world.server.close();
  });

  for (const name of ['IBM registry tokens', 'Harbor as administrator'] as const)
    it(`sweeps the token of a process that did not know that another leads: ${name}`, async () => {
      const world = new World({ seed: 1, climate: CALM, choice: bothOf(name) });
      await world.begin();
      await world.clock.advance(MINUTE);
      const { apiVersion, kind } = aToken();
      const metadata = { namespace: 'team-a', name: 'app' };
      await world.user.create(REGISTRY_TOKENS, { apiVersion, kind, metadata, spec: {} });
      while (!world.tokens()[0]?.status?.mintIntent) await world.clock.step();
      const overtaken = world.leader;
      overtaken?.gate.freeze();
      if (overtaken) Object.assign(overtaken, { deposed: true, unaware: true, misled: true });
      world.startOperator();
      await world.clock.advance(MINUTE);
      overtaken?.gate.thaw();
      await world.clock.advance(5_000);
      overtaken?.kill();
      // What it may have brought into force after that is no token that is left.
      const late = world.audit.mints.all().filter((mint) => mint.late && !mint.inForce);
      expect(late).to.have.length(1);
      const hasToken = () => world.registries.tokens().some(({ id }) => id === late[0]?.id);
      expect(hasToken()).to.equal(true);
      await world.clock.advance(2 * HOUR);
      expect([hasToken(), world.audit.violations]).to.deep.equal([false, []]);
      world.leader?.kill();
      world.server.close();
    });

  it('keeps a token whose Secret is brought back while another could not be issued, where the registry never gives its value again', async () => {
    const world = new World({ seed: 1, climate: CALM, choice: bothOf('Harbor as administrator') });
    const { clock, user, weather, registries } = world;
    await world.begin();
    await clock.advance(MINUTE);
    const { apiVersion, kind } = aToken();
    await user.create(REGISTRY_TOKENS, {
      apiVersion,
      kind,
      metadata: { namespace: 'team-a', name: 'app' },
      spec: {},
    });
    await clock.advance(MINUTE);
    const inForce = (): string | undefined => world.tokens()[0]?.status?.token?.id;
    const issued = inForce();
    world.leader?.kill();
    world.startOperator();
    await clock.advance(MINUTE);
    for (const host of registries.hosts) weather.registriesDown.add(host);
    const secret = world.secrets().find(({ metadata }) => metadata.namespace === 'team-a');
    const { name = '', namespace = '', labels = {}, annotations = {} } = secret?.metadata ?? {};
    await user.delete(SECRETS, { namespace, name });
    await clock.advance(MINUTE);
    expect(world.tokens()[0]?.status?.lastFailure?.reason).to.equal('RegistryUnavailable');
    const { type, data } = secret ?? {};
    await user.create(SECRETS, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace, name, labels, annotations },
      type,
      data,
    });
    weather.registriesDown.clear();
    await clock.advance(HOUR);
    expect([inForce(), world.tokens()[0]?.status?.reason]).to.deep.equal([issued, 'Issued']);
    expect(world.audit.violations).to.deep.equal([]);
    world.leader?.kill();
    world.server.close();
  });

  it('goes on elsewhere when an account or region goes for good while it is not known what came of a mint there', async function () {
    this.timeout(60_000);
    const climate = { ...CALM, registryFailure: 0.5 };
    const removals = ['removeRegion', 'removeAccount'] as const;
    const deeds = ['create', 'create', 'rotate', 'changeRelevant', ...removals, 'create', 'rotate'] as const;
    let givenUp = 0;
    for (let seed = 1; seed <= 12; seed++) {
      const outcome = await simulate({ seed, climate, journal: true, script: { deeds, pause: 2_000 } });
      check([outcome]);
      if (outcome.journal.some((line) => line.includes('an earlier mint is given up'))) givenUp++;
    }
    expect(givenUp).to.be.above(2);
  });

  it('replays exactly', async () => {
    const [first, second] = [
      await simulate({ seed: 3, journal: true }),
      await simulate({ seed: 3, journal: true }),
    ];
    expect(first.journal).to.deep.equal(second.journal);
    expect(first.journal).to.have.length.above(100);
  });
});
