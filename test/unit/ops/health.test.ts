import { expect } from 'chai';
import { healthRoutes, watchCheck, workCheck, type Checks } from '../../../src/ops/health.ts';

const good: Checks = { one: () => ({ ok: true, detail: 'fine' }) };
const bad: Checks = { ...good, two: () => ({ ok: false, detail: 'no answer' }) };

async function page(checks: { liveness: Checks; readiness: Checks }, path: string, query = '') {
  const { status, body } = (await healthRoutes(checks)[path]?.(new URLSearchParams(query))) ?? {};
  return { status, body };
}

describe('health pages', () => {
  for (const path of ['/healthz', '/livez']) {
    it(`${path} asks whether the process is alive`, async () => {
      expect(await page({ liveness: good, readiness: bad }, path)).to.deep.equal({
        status: 200,
        body: 'ok\n',
      });
      expect(await page({ liveness: bad, readiness: good }, path)).to.include({ status: 500 });
    });
  }

  it('/readyz asks whether it is ready', async () => {
    expect(await page({ liveness: bad, readiness: good }, '/readyz')).to.include({ status: 200 });
    expect(await page({ liveness: good, readiness: bad }, '/readyz')).to.deep.equal({
      status: 500,
      body: '[+]one ok: fine\n[-]two failed: no answer\nreadyz check failed\n',
    });
  });

  it('shows every check with ?verbose', async () => {
    expect(await page({ liveness: good, readiness: good }, '/livez', 'verbose')).to.deep.equal({
      status: 200,
      body: '[+]one ok: fine\nlivez check passed\n',
    });
  });
});

describe('health checks', () => {
  const watches = [
    { synced: false, live: true, ok: false },
    { synced: true, live: false, ok: false },
    { synced: true, live: true, ok: true },
    { synced: false, live: false, excused: false, ok: false },
    { synced: false, live: false, excused: true, ok: true },
  ];
  for (const { ok, ...state } of watches) {
    it(`a watch with ${JSON.stringify(state)} is ${ok ? 'ready' : 'not ready'}`, () => {
      expect(watchCheck(() => state)()).to.include({ ok });
    });
  }

  it('work is alive up to its limit', () => {
    let age = 600_000;
    const check = workCheck(() => age, 600_000);
    expect(check()).to.include({ ok: true });
    age += 1000;
    expect(check()).to.deep.equal({
      ok: false,
      detail: 'a reconciliation has been under way for 10m1s, at most 10m is expected',
    });
  });
});
