import { expect } from 'chai';
import { ApiServer } from '../../../sandbox/apiserver/server.ts';
import { ConnectionLost, type Answer, type ApiRequest } from '../../../sandbox/apiserver/request.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';

function request(method: string, target: string, body?: object): ApiRequest {
  const [path = '', query = ''] = target.split('?');
  return {
    method,
    path,
    query: new URLSearchParams(query),
    headers: { 'content-type': 'application/json' },
    body: body ? JSON.stringify(body) : '',
    signal: new AbortController().signal,
  };
}

/** The next event as `TYPE name`, or `end`. */
async function event(lines: AsyncIterator<string>): Promise<string> {
  const { done, value } = await lines.next();
  if (done) return 'end';
  const { type, object } = JSON.parse(value) as { type: string; object: { metadata?: { name?: string } } };
  return `${type} ${object.metadata?.name ?? ''}`.trim();
}

function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch((error: unknown) => error);
}

/** What a fresh server makes of a request for a generated name. */
async function made(): Promise<unknown> {
  const server = new ApiServer({ clock: new VirtualClock(), random: () => 0.5 });
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'x-' } };
  return (await server.handle(request('POST', MAPS, map))).body;
}

describe('faults and time of the embedded API server', () => {
  let clock: VirtualClock;
  let server: ApiServer;
  beforeEach(() => {
    clock = new VirtualClock();
    server = new ApiServer({ clock });
  });
  afterEach(() => server.close());

  const send = (method: string, target: string, body?: object): Promise<Answer> =>
    server.handle(request(method, target, body));
  const create = (name: string): Promise<Answer> =>
    send('POST', MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
  const watch = async (query = ''): Promise<AsyncIterator<string>> => {
    const { body } = await send('GET', `${MAPS}?watch=true${query}`);
    if (typeof body === 'string') throw new Error(body);
    return body[Symbol.asyncIterator]();
  };
  it('answers with an ordered status, as often as ordered', async () => {
    server.faults.add({
      kind: 'status',
      code: 429,
      retryAfterSeconds: 3,
      times: 1,
      match: { method: 'POST' },
    });
    const refused = await create('a');
    expect(refused.status).to.equal(429);
    expect(refused.headers['retry-after']).to.equal('3');
    expect(JSON.parse(refused.body as string)).to.include({ reason: 'TooManyRequests', code: 429 });
    expect((await create('a')).status).to.equal(201);
  });

  it('strikes one client and spares the others', async () => {
    server.faults.add({ kind: 'status', code: 500, match: { userAgent: /^operator/ } });
    const ask = async (agent: string): Promise<number> => {
      const read = request('GET', MAPS);
      return (await server.handle({ ...read, headers: { 'user-agent': agent } })).status;
    };
    expect(await ask('operator/1.0')).to.equal(500);
    expect(await ask('kubectl')).to.equal(200);
  });

  it('breaks the connection before or after the effect', async () => {
    server.faults.add({ kind: 'reset', times: 1 });
    expect(await failure(create('before'))).to.be.instanceOf(ConnectionLost);
    expect((await send('GET', `${MAPS}/before`)).status).to.equal(404);
    server.faults.add({ kind: 'drop-after-effect', times: 1 });
    expect(await failure(create('after'))).to.be.instanceOf(ConnectionLost);
    expect((await send('GET', `${MAPS}/after`)).status).to.equal(200);
  });

  it('answers late', async () => {
    const remove = server.faults.add({ kind: 'slow', milliseconds: 5000, match: { path: /configmaps/ } });
    let answered = false;
    const answer = create('late').then(() => (answered = true));
    await clock.advance(4999);
    expect(answered).to.equal(false);
    await clock.advance(1);
    await answer;
    remove();
  });

  it('keeps open watches silent, bookmarks included', async () => {
    const lines = await watch('&allowWatchBookmarks=true');
    const remove = server.faults.add({ kind: 'stall', match: { watch: true } });
    await create('unseen');
    await clock.advance(120_000);
    remove();
    await create('seen');
    expect(await event(lines)).to.equal('ADDED seen');
  });

  it('breaks open watches, or ends them in good order', async () => {
    const [broken, ended] = [await watch(), await watch()];
    server.watches.reset();
    expect(await broken.next().catch((error: unknown) => error)).to.be.instanceOf(ConnectionLost);
    const fresh = await watch();
    server.watches.end(/configmaps/);
    expect(await event(fresh)).to.equal('end');
    await ended.return?.();
  });

  it('says 410 in the stream to a watch from a compacted revision, and to an old page', async () => {
    for (const name of ['a', 'b', 'c']) await create(name);
    const page = JSON.parse((await send('GET', `${MAPS}?limit=1`)).body as string) as {
      metadata: { continue: string; resourceVersion: string };
    };
    await create('d');
    server.compact();
    const lines = await watch(`&resourceVersion=${page.metadata.resourceVersion}`);
    const { value } = await lines.next();
    expect(JSON.parse(value as string)).to.deep.include({ type: 'ERROR' });
    expect((JSON.parse(value as string) as { object: object }).object).to.include({
      code: 410,
      reason: 'Expired',
    });
    expect(await event(lines)).to.equal('end');

    const old = await send('GET', `${MAPS}?limit=1&continue=${encodeURIComponent(page.metadata.continue)}`);
    expect(old.status).to.equal(410);
    const { metadata } = JSON.parse(old.body as string) as { metadata: { continue: string } };
    const rest = await send('GET', `${MAPS}?continue=${encodeURIComponent(metadata.continue)}`);
    expect(JSON.parse(rest.body as string).items).to.have.length(3);
  });

  it('sends a bookmark each minute and one before the end, and ends a watch when its time is up', async () => {
    const lines = await watch('&allowWatchBookmarks=true&timeoutSeconds=90');
    await create('a');
    expect(await event(lines)).to.equal('ADDED a');
    await clock.advance(60_000);
    expect(await event(lines)).to.equal('BOOKMARK');
    await clock.advance(28_000);
    expect(await event(lines)).to.equal('BOOKMARK');
    await clock.advance(2_000);
    expect(await event(lines)).to.equal('end');
  });

  it('sends no bookmarks to watches of what never changed, as kube-apiserver', async () => {
    const lines = await watch('&allowWatchBookmarks=true&timeoutSeconds=90');
    await clock.advance(90_000);
    expect(await event(lines)).to.equal('end');
  });

  it('ends a watch when its caller goes away', async () => {
    const gone = new AbortController();
    const { body } = await server.handle({ ...request('GET', `${MAPS}?watch=true`), signal: gone.signal });
    const ended = (body as AsyncIterable<string>)[Symbol.asyncIterator]().next();
    gone.abort();
    expect((await ended).done).to.equal(true);
    expect(server.watches.size).to.equal(0);
  });

  it('leaves no timer behind when it is idle or closed', async () => {
    await create('a');
    await clock.advance(10);
    expect(clock.pending).to.equal(0);
    await watch('&allowWatchBookmarks=true');
    server.close();
    expect(clock.pending).to.equal(0);
  });

  it('makes the same objects from the same clock and random numbers', async () => {
    expect(await made()).to.equal(await made());
  });
});
