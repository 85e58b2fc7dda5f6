import { expect } from 'chai';
import { sleep, systemClock as clock } from '../../src/common/clock.ts';
import { OperatorProcess } from '../support/operator-process.ts';
import { carriesWatch, ProxiedWorld } from '../support/proxied-world.ts';
import { survive, type Ordeal } from '../support/survival.ts';

const LIMIT = 120_000;

/** What readiness said while it was looked at, each time it changed, with milliseconds since the beginning. */
type History = { at: number; status: number | undefined; failed: string[] }[];

async function watchReadiness(operator: OperatorProcess, signal: AbortSignal): Promise<History> {
  const began = clock.monotonic();
  const history: History = [];
  while (!signal.aborted) {
    const { status, failed = [] } = (await operator.readiness()) ?? {};
    const last = history.at(-1);
    if (last?.status !== status) history.push({ at: clock.monotonic() - began, status, failed });
    else for (const line of failed) if (!last?.failed.includes(line)) last?.failed.push(line);
    await sleep(clock, 100, signal).catch(() => undefined);
  }
  return history;
}

/** A world of its own, and an operator process that nothing but the fault changes. */
async function endure(ordeal: Ordeal): Promise<{ recovery: number; history: History }> {
  await using stack = new AsyncDisposableStack();
  const there = await ProxiedWorld.start();
  stack.defer(() => there.close());
  const operator = await OperatorProcess.start({
    kubeconfig: there.kubeconfig,
    flags: ['--leader-elect=false'],
  });
  stack.defer(() => operator.kill());
  const stop = new AbortController();
  await there.world.eventually('the operator is ready', async () => {
    const readiness = await operator.readiness();
    return readiness?.status === 200 ? { value: true } : { seen: JSON.stringify(readiness) };
  });
  const watching = watchReadiness(operator, stop.signal);
  try {
    const recovery = await survive(there, ordeal);
    // What broke last may still be unready.
    await sleep(clock, 5_000);
    expect(operator.running).to.equal(true);
    return { recovery, history: (stop.abort(), await watching) };
  } finally {
    stop.abort();
  }
}

describe('a connection that dies without a word, in real time', function () {
  this.timeout(LIMIT + 60_000);

  const ordeals: { what: string; ordeal: Ordeal }[] = [
    {
      what: 'every watch falls into a black hole',
      ordeal: {
        strike: async ({ api }) => {
          api.add({ kind: 'black-hole', only: carriesWatch });
          await api.heal();
        },
        lasts: 0,
        recovery: LIMIT,
      },
    },
    {
      what: 'everything falls into a black hole for twenty seconds',
      ordeal: {
        strike: ({ api }) => api.add({ kind: 'black-hole' }),
        lasts: 20_000,
        recovery: LIMIT,
      },
    },
  ];
  const running = new Map<string, Promise<{ recovery: number; history: History }>>();
  before(() => {
    // All at once: each does little but wait.
    for (const { what, ordeal } of ordeals) {
      const end = endure(ordeal);
      end.catch(() => undefined);
      running.set(what, end);
    }
  });

  for (const { what } of ordeals) {
    it(`${what}: noticed within two minutes, told by readiness, and healed without a restart`, async () => {
      const { recovery, history } = await running.get(what)!;
      process.stdout.write(`      in order after ${(recovery / 1000).toFixed(1)} s; readiness:\n`);
      for (const { at, status, failed } of history)
        process.stdout.write(`        ${(at / 1000).toFixed(1)} s: ${status} ${failed.join(' ')}\n`);
      expect(history.map(({ status }) => status)).to.include.members([200, 500]);
      expect(history.flatMap(({ failed }) => failed).join('\n')).to.include(
        '[-]registrytokens.pullsecrets.dev failed: the watch shows no life',
      );
      expect(history.at(-1)?.status).to.equal(200);
    });
  }
});
