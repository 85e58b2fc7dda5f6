import { expect } from 'chai';
import { providerOf } from '../../../src/registry/backends.ts';
import { RegistryError } from '../../../src/registry/errors.ts';
import { anAccount, anIssuedToken, aRecord, at, HOUR, MINUTE, SECOND } from '../../support/builders.ts';
import { anotherIn, DELAY, elsewhere, orphanTag, placeIn, SweepStage } from './support/sweep-stage.ts';

const issuedIn = (region: string) => ({ account: 'default', region, place: placeIn(region) });
const outage = new RegistryError('Unavailable', 'the registry is down');
const asked = (stage: SweepStage, region: string): number =>
  stage.listed.filter((each) => each === region).length;

describe('a region is swept', () => {
  let stage: SweepStage;
  beforeEach(async () => {
    stage = new SweepStage();
    stage.account = anAccount({ spec: elsewhere('us-south', 'eu-de') });
  });

  it('at an interval, and at no other time', async () => {
    await stage.look();
    await stage.run(HOUR - 1);
    expect(asked(stage, 'us-south')).to.equal(1);
    await stage.clock.advance(1);
    expect(await stage.look()).to.deep.equal({ requeueAfter: HOUR });
    expect(asked(stage, 'us-south')).to.equal(2);
  });

  it('a minute after a request for a token was given up: by then it has had its effect', async () => {
    await stage.look();
    await stage.clock.advance(5 * MINUTE);
    stage.sweeper.requestLost(issuedIn('eu-de'));
    expect(stage.enqueued).to.deep.equal(['default']);
    await stage.run(MINUTE - 1);
    expect(asked(stage, 'eu-de')).to.equal(1);
    await stage.clock.advance(1);
    await stage.look();
    expect([asked(stage, 'eu-de'), asked(stage, 'us-south')]).to.deep.equal([2, 1]);
  });

  it('no later than it was to be, for a request that was given up', async () => {
    await stage.look();
    await stage.clock.advance(HOUR - SECOND);
    stage.sweeper.requestLost(issuedIn('eu-de'));
    expect(await stage.look()).to.deep.equal({ requeueAfter: SECOND });
  });

  it('a minute after a request was given up before or during a look, or after another one', async () => {
    stage.listTime = SECOND;
    stage.sweeper.requestLost(issuedIn('eu-de'));
    await stage.look();
    expect(asked(stage, 'eu-de')).to.equal(1);
    stage.whileListing = () => stage.sweeper.requestLost(issuedIn('eu-de'));
    await stage.run(MINUTE);
    expect(asked(stage, 'eu-de'), 'the first').to.equal(2);
    await stage.run(MINUTE + SECOND);
    expect(asked(stage, 'eu-de'), 'the second').to.equal(3);
    stage.sweeper.requestLost(issuedIn('eu-de'));
    await stage.clock.advance(10 * SECOND);
    stage.sweeper.requestLost(issuedIn('eu-de'));
    await stage.run(2 * MINUTE);
    expect(asked(stage, 'eu-de'), 'both of them').to.equal(5);
    await stage.run(HOUR / 2);
    expect(asked(stage, 'eu-de'), 'and none else').to.equal(5);
  });

  it('at once where its account changed while a look failed, once', async () => {
    stage.account = anAccount({ spec: elsewhere('eu-de') });
    stage.down.set('eu-de', outage);
    stage.listTime = SECOND;
    stage.whileListing = () => stage.sweeper.accountChanged('default');
    expect(await stage.look()).to.deep.equal({ requeueAfter: 0 });
    const { requeueAfter = 0 } = (await stage.look()) ?? {};
    expect(requeueAfter).to.be.greaterThan(SECOND);
  });

  it('for no request that was given up at another place: nothing leads there', async () => {
    await stage.look();
    stage.sweeper.requestLost({ ...issuedIn('eu-de'), place: placeIn('us-north') });
    expect(stage.enqueued).to.deep.equal([]);
    expect(await stage.look()).to.deep.equal({ requeueAfter: HOUR });
  });

  it('at once where its endpoint leads elsewhere by now, also after it failed', async () => {
    stage.down.set('eu-de', outage);
    await stage.look();
    stage.down.clear();
    stage.moved.set('eu-de', anotherIn('eu-de'));
    await stage.look();
    expect([asked(stage, 'eu-de'), asked(stage, 'us-south')]).to.deep.equal([2, 1]);
  });

  it('once its account was looked at, where that says another endpoint: until then it leads to the former', async () => {
    await stage.look();
    const regions = elsewhere('us-south', 'eu-de').regions.map((region) =>
      region.name === 'eu-de' ? { ...region, endpoint: placeIn('us-north').endpoint } : region,
    );
    stage.account = anAccount({ spec: { ...elsewhere(), regions } });
    stage.isBehind = true;
    await stage.run(MINUTE);
    expect(asked(stage, 'eu-de')).to.equal(1);
    stage.isBehind = false;
    stage.sweeper.accountChanged('default');
    await stage.look();
    expect(asked(stage, 'eu-de')).to.equal(2);
  });

  it('at once where another API answers at its endpoint by now, which shows nothing of what was seen before', async () => {
    stage.add('eu-de', 'a');
    await stage.look();
    expect(stage.orphans.get('eu-de')).to.equal(1);
    await stage.clock.advance(DELAY - 1);
    stage.moved.set('eu-de', { ...placeIn('eu-de'), provider: 'harbor' });
    await stage.run(DELAY - 1);
    expect(stage.revoked, 'it was seen for less than the delay there').to.deep.equal([]);
    await stage.run(2);
    expect(stage.revoked).to.deep.equal(['a']);
  });

  it('after a failure, ever more rarely, and after a success as if it had never failed', async () => {
    const pause = async (): Promise<number | undefined> => {
      const { requeueAfter } = (await stage.look()) ?? {};
      await stage.clock.advance(requeueAfter ?? 0);
      return requeueAfter;
    };
    stage.down.set('eu-de', outage);
    expect([await pause(), await pause(), await pause()]).to.deep.equal(
      [2, 4, 8].map((each) => each * SECOND),
    );
    stage.down.clear();
    await stage.look();
    stage.down.set('eu-de', outage);
    await stage.run(2 * HOUR);
    expect(stage.lines.filter((line) => line.startsWith('not swept'))).to.have.length.greaterThan(5);
    const before = asked(stage, 'eu-de');
    stage.sweeper.accountChanged('default');
    await stage.look();
    expect(asked(stage, 'eu-de'), 'the account has changed').to.equal(before + 1);
  });

  it('at an interval at least, however long the registry asks to wait', async () => {
    stage.down.set('eu-de', new RegistryError('RateLimited', 'slow', { retryAfter: 5 * HOUR }));
    await stage.look();
    await stage.clock.advance(HOUR);
    await stage.look();
    expect(asked(stage, 'eu-de')).to.equal(2);
  });

  it('not sooner where its account has changed and it did not fail: the account alone is enqueued', async () => {
    await stage.look();
    stage.sweeper.accountChanged('default');
    expect(stage.enqueued).to.deep.equal(['default']);
    expect(await stage.look()).to.deep.equal({ requeueAfter: HOUR });
  });

  it('at its interval though it fails, where nothing points to it, and nobody is told', async () => {
    stage.account = anAccount();
    stage.down.set('jp-tok', outage);
    await stage.run(3 * HOUR + MINUTE);
    expect(asked(stage, 'jp-tok')).to.equal(4);
    expect(stage.lines).to.deep.equal([]);
  });

  it('soon again after a failure, where it was found to have unused tokens', async () => {
    stage.account = anAccount();
    stage.add('jp-tok', 'a');
    await stage.look();
    stage.down.set('jp-tok', outage);
    await stage.run(2 * DELAY);
    expect(asked(stage, 'jp-tok')).to.be.greaterThan(5);
    expect(stage.lines[0]).to.equal('not swept: the registry is down');
  });

  it('not while its account can not be used, which the log gives as the reason', async () => {
    stage.down.set('us-south', outage);
    await stage.look();
    expect(stage.fields[0]).to.include({ reason: 'RegistryUnavailable' });
    stage.problem = 'Secret credentials does not exist';
    await stage.run(2 * DELAY);
    expect(stage.fields.at(-1)).to.include({ account: 'default', reason: 'AccountNotReady' });
  });

  it('soon again after a failure, where a RegistryToken left tokens', async () => {
    stage.account = anAccount();
    const endpoint = providerOf(stage.account.spec)?.places.resolve('jp-tok')?.endpoint ?? '';
    const place = { ...placeIn('jp-tok'), endpoint };
    stage.moved.set('jp-tok', place);
    stage.down.set('jp-tok', outage);
    stage.sweeper.leftBehind('gone', { ...issuedIn('jp-tok'), place });
    await stage.run(2 * DELAY);
    expect(asked(stage, 'jp-tok')).to.be.greaterThan(5);
  });

  it('no more once its account does not have it, nor is it counted', async () => {
    stage.add('eu-de', 'a');
    await stage.look();
    expect(stage.orphans.get('eu-de')).to.equal(1);
    stage.account = anAccount({ spec: elsewhere('us-south') });
    await stage.run(3 * HOUR);
    expect(asked(stage, 'eu-de')).to.equal(1);
    expect([...stage.orphans.keys()]).to.deep.equal(['us-south']);
    expect(stage.status.orphans).to.equal(0);
  });

  it('not while its account is to go', async () => {
    stage.account = anAccount({ metadata: { deletionTimestamp: at(0) }, spec: elsewhere('us-south') });
    expect(await stage.look()).to.equal(undefined);
    expect(stage.listed).to.deep.equal([]);
  });

  it('no more for what RegistryTokens left at an endpoint that its account gave up, though that leads there again', async () => {
    await stage.look();
    const places = () => stage.searched.length;
    stage.sweeper.leftBehind('gone', { ...issuedIn('us-north'), scope: ['team-a'] });
    await stage.look();
    const spec = elsewhere('us-south', 'eu-de');
    stage.account = anAccount({ spec: { ...spec, abandonedEndpoints: [placeIn('us-north').endpoint] } });
    await stage.look();
    stage.account = anAccount({ spec: elsewhere('us-south', 'us-north') });
    const before = places();
    await stage.look();
    expect([...stage.sweeper.owedScopes('default')]).to.deep.equal([]);
    expect(places() - before).to.equal(1);
  });

  it('at once where a RegistryToken left tokens at a place that it only leads to later', async () => {
    await stage.look();
    stage.listed.length = 0;
    stage.sweeper.leftBehind('gone', issuedIn('us-north'));
    await stage.look();
    expect(stage.listed).to.deep.equal([]);
    stage.account = anAccount({ spec: elsewhere('us-south', 'eu-de', 'us-north') });
    await stage.look();
    expect(stage.listed).to.deep.equal(['us-north']);
  });
});

describe('where RegistryTokens left tokens, a region is swept at once', () => {
  let stage: SweepStage;
  beforeEach(() => {
    stage = new SweepStage();
  });

  it('for the first, though it failed a moment ago, and for others when it is tried again anyhow', async () => {
    stage.down.set('us-south', outage);
    await stage.look();
    stage.sweeper.leftBehind('first', issuedIn('us-south'));
    await stage.look();
    expect(stage.listed).to.have.length(2);
    stage.sweeper.leftBehind('second', issuedIn('us-south'));
    await stage.look();
    expect(stage.listed).to.have.length(2);
  });

  it('for each while it does not fail, though earlier ones are still there', async () => {
    stage.tokens = [anIssuedToken({ metadata: { uid: 'first' } })];
    for (const uid of ['first', 'second']) {
      stage.sweeper.leftBehind(uid, issuedIn('us-south'));
      expect(await stage.look()).to.deep.equal({ requeueAfter: 10 * SECOND });
    }
    expect(stage.listed).to.have.length(2);
  });
});

describe('the time of the last sweep', () => {
  let stage: SweepStage;
  beforeEach(() => {
    stage = new SweepStage();
    stage.account = anAccount({ spec: elsewhere('us-south', 'eu-de') });
    stage.down.set('eu-de', outage);
  });

  it('is not told before all regions where tokens may be were swept', async () => {
    await stage.look();
    expect(stage.status).to.not.have.property('lastSweepTime');
  });

  it('is that of the region that was swept longest ago', async () => {
    stage.down.clear();
    await stage.look();
    const first = stage.status.lastSweepTime;
    stage.down.set('eu-de', outage);
    await stage.run(2 * HOUR);
    expect(stage.status.lastSweepTime).to.equal(first);
  });
});

describe('a sweep asks', () => {
  let stage: SweepStage;
  beforeEach(() => {
    stage = new SweepStage();
  });
  const lists = (): number => stage.requests.filter((each) => each === 'GET secrets').length;

  it('the API server for nothing that uses tokens while all are in use', async () => {
    stage.tokens = [anIssuedToken({ status: { token: aRecord({ id: 'a' }) } })];
    stage.add('us-south', 'a');
    await stage.run(3 * HOUR);
    expect(lists()).to.equal(0);
  });

  it('the API server before it tells of a single token that is unknown here: a watch can lag', async () => {
    const { uid } = anIssuedToken().metadata;
    stage.watched = { tokens: [anIssuedToken({ status: { token: aRecord({ id: 'b' }) } })] };
    stage.tokens = [anIssuedToken({ status: { token: aRecord({ id: 'a' }) } })];
    stage.add('us-south', 'a', orphanTag({ uid }));
    await stage.run(3 * HOUR);
    expect(stage.events).to.deep.equal([]);
    expect(lists()).to.be.greaterThan(0);
  });

  it('the API server again for each twenty that it is to revoke', async () => {
    for (let n = 0; n < 45; n++) stage.add('us-south', `token-${n}`);
    await stage.look();
    await stage.clock.advance(DELAY);
    const before = lists();
    await stage.look();
    expect(stage.revoked).to.have.length(45);
    expect(new Set(stage.revoked).size, 'each once').to.equal(45);
    expect(lists() - before).to.equal(1 + 3);
  });

  it('the registry again where it does not revoke, which is counted: the token is not forgotten', async () => {
    stage.add('us-south', 'a');
    await stage.look();
    await stage.clock.advance(DELAY);
    stage.refusal = outage;
    await stage.look();
    expect(stage.counted).to.deep.equal(['failure']);
    expect(stage.status.orphans).to.equal(1);
    expect(stage.fields.at(-1)).to.deep.equal({
      account: 'default',
      region: 'us-south',
      reason: 'RegistryUnavailable',
    });
    stage.refusal = undefined;
    await stage.run(MINUTE);
    expect(stage.fields.at(-1)).to.deep.equal({
      account: 'default',
      region: 'us-south',
      id: 'a',
      uid: 'gone',
      revision: 1,
    });
    expect(stage.counted).to.deep.equal(['failure', 'success']);
    expect(stage.status.orphans).to.equal(0);
  });
});

describe('--sweep=report', () => {
  it('tells again of a token that was in use meanwhile', async () => {
    const stage = new SweepStage({ sweep: 'report' });
    const { uid } = anIssuedToken().metadata;
    stage.add('us-south', 'a', orphanTag({ uid }));
    await stage.run(2 * HOUR);
    expect(stage.events).to.deep.equal(['OrphanFound']);
    stage.tokens = [anIssuedToken({ status: { token: aRecord({ id: 'a' }) } })];
    await stage.run(2 * HOUR);
    stage.tokens = [];
    await stage.run(3 * HOUR);
    expect(stage.events).to.deep.equal(['OrphanFound', 'OrphanFound']);
    expect(stage.counted).to.deep.equal([]);
  });
});

describe('a place that several regions share', () => {
  const shared = (...names: string[]) => ({
    ibmRegistryTokens: { iamEndpoint: 'https://iam.example' },
    regions: names.map((name) => ({ name, host: `${name}.example`, endpoint: placeIn('us-south').endpoint })),
  });
  let stage: SweepStage;
  beforeEach(() => {
    stage = new SweepStage();
  });

  it('is swept once, by the name of the default region', async () => {
    stage.account = anAccount({ spec: shared('a', 'us-south', 'z') });
    stage.add('us-south', 'orphan');
    await stage.run(DELAY + MINUTE);
    expect(stage.listed).to.deep.equal(['us-south', 'us-south']);
    expect(stage.revoked).to.deep.equal(['orphan']);
    expect([...stage.orphans.keys()]).to.deep.equal(['us-south']);
  });

  it('is swept once, by the first name where the default region is elsewhere, and may be none', async () => {
    const account = anAccount({ spec: shared('b', 'a') });
    for (const defaultRegion of ['mars', undefined]) {
      stage = new SweepStage();
      stage.account = { ...account, spec: { ...account.spec, ...(defaultRegion && { defaultRegion }) } };
      await stage.look();
      expect(stage.listed).to.deep.equal(['a']);
    }
  });

  it('keeps what was seen and what is owed there when another of them becomes the default region', async () => {
    const spec = shared('a', 'us-south');
    stage.account = anAccount({ spec: { ...spec, defaultRegion: 'a' } });
    stage.moved.set('a', placeIn('us-south'));
    for (const region of ['a', 'us-south']) stage.add(region, 'orphan');
    await stage.look();
    expect(stage.orphans).to.deep.equal(new Map([['a', 1]]));
    stage.sweeper.leftBehind('gone', { ...issuedIn('a'), place: placeIn('us-south'), scope: ['team-a'] });
    await stage.clock.advance(DELAY);
    stage.account = anAccount({ spec: { ...spec, defaultRegion: 'us-south' }, status: stage.status });
    expect([...stage.sweeper.owedScopes('default')]).to.deep.equal(['team-a']);
    for (const region of ['a', 'us-south']) stage.down.set(region, outage);
    await stage.look();
    expect([...stage.sweeper.owedScopes('default')], 'still owed').to.deep.equal(['team-a']);
    stage.down.clear();
    await stage.run(MINUTE);
    expect(stage.revoked, 'it was seen before').to.deep.equal(['orphan']);
    expect([...stage.orphans.keys()]).to.deep.equal(['us-south']);
  });

  it('is looked at at once for what a RegistryToken left there, by whichever name, and for lost requests', async () => {
    stage.account = anAccount({ spec: shared('a', 'us-south') });
    await stage.look();
    stage.sweeper.leftBehind('gone', { ...issuedIn('us-south'), region: 'a' });
    await stage.look();
    expect(stage.listed).to.deep.equal(['us-south', 'us-south']);
    stage.sweeper.requestLost({ ...issuedIn('us-south'), region: 'a' });
    await stage.run(MINUTE);
    await stage.look();
    expect(stage.listed).to.deep.equal(['us-south', 'us-south', 'us-south']);
  });
});

describe('an account that has nothing to be swept', () => {
  let stage: SweepStage;
  beforeEach(() => {
    stage = new SweepStage();
  });

  const unnamed: [what: string, registries: object][] = [
    ['none', { ibmRegistryTokens: undefined }],
    ['two', { harbor: { url: 'https://harbor.example' } }],
  ];
  for (const [what, registries] of unnamed)
    it(`since it names ${what} of the registries is left alone, and swept at once when it names one again`, async () => {
      const before = anAccount({ spec: elsewhere('us-south') });
      stage.add('us-south', 'a');
      await stage.look();
      const { status } = stage;
      stage.account = anAccount({ spec: { ...elsewhere('us-south'), ...registries }, status });
      expect(await stage.look()).to.equal(undefined);
      expect(stage.status).to.deep.equal(status);
      expect([...stage.orphans]).to.deep.equal([]);
      await stage.clock.advance(DELAY);
      stage.account = before;
      await stage.look();
      expect(stage.revoked, 'it was seen before').to.deep.equal(['a']);
    });

  it('since it has no region was never swept', async () => {
    stage.account = anAccount({ spec: elsewhere() });
    await stage.look();
    expect(stage.listed).to.deep.equal([]);
    expect(stage.status).to.not.have.property('lastSweepTime');
  });
});

describe('a registry without regions', () => {
  it('is swept whatever the account calls its default region', async () => {
    const stage = new SweepStage();
    const harbor = { url: 'https://harbor.example' };
    for (const defaultRegion of [undefined, 'us-south']) {
      stage.account = anAccount({ spec: { ibmRegistryTokens: undefined, harbor, defaultRegion } });
      await stage.look();
      expect(stage.listed).to.deep.equal(['']);
      expect(stage.status).to.have.property('lastSweepTime');
    }
  });
});
