import { expect } from 'chai';
import { sleep, systemClock as clock } from '../../src/common/clock.ts';
import { OperatorProcess, type Probe } from '../support/operator-process.ts';
import { carriesWatch, ProxiedWorld } from '../support/proxied-world.ts';
import { survive, type Ordeal } from '../support/survival.ts';

const LIMIT = 120_000;
/** Longer than any watch may be silent, with the time in which one more break would show. */
const QUIET = 150_000;
const ALONE = ['--leader-elect=false'];

/** What readiness said while it was looked at, each time it changed, with milliseconds since the beginning. */
type History = { at: number; status: number | undefined; failed: string[] }[];

/** An operator process that is started again when it ends, as kubelet does. */
class KeptOperator {
  readonly exits: (number | NodeJS.Signals)[] = [];
  /** Milliseconds from the line that says that a process ends until it did. */
  readonly lingered: number[] = [];
  readonly log: Record<string, unknown>[] = [];
  readonly #start: () => Promise<OperatorProcess>;
  #process: OperatorProcess | undefined;
  #kept = true;

  static async start(there: ProxiedWorld, flags: readonly string[]): Promise<KeptOperator> {
    const { kubeconfig } = there;
    const kept = new KeptOperator(() => OperatorProcess.start({ kubeconfig, flags }));
    await kept.#run();
    return kept;
  }

  private constructor(start: () => Promise<OperatorProcess>) {
    this.#start = start;
  }

  /** Several begin at once, which takes its time. */
  async whenReady({ world }: ProxiedWorld): Promise<void> {
    const look = async (): Promise<{ value: true } | { seen: string }> => {
      const readiness = await this.readiness();
      return readiness?.status === 200 ? { value: true } : { seen: JSON.stringify(readiness) };
    };
    await world.eventually('the operator is ready', look, LIMIT);
  }

  async readiness(): Promise<Probe | undefined> {
    return this.#process?.readiness();
  }

  async liveness(): Promise<Probe | undefined> {
    return this.#process?.liveness();
  }

  async stop(): Promise<void> {
    this.#kept = false;
    await this.#process?.kill();
  }

  async #run(): Promise<void> {
    const started = (this.#process = await this.#start());
    if (!this.#kept) return started.kill();
    void started.exited.then(async (code) => {
      this.log.push(...started.log);
      if (!this.#kept) return;
      this.exits.push(code);
      const ending = started.log.find(({ msg }) => msg === 'ending');
      this.lingered.push(clock.now() - Date.parse(String(ending?.time)));
      await this.#run();
    });
  }
}

interface Watched {
  history: History;
  /** What liveness said against the process. */
  ailments: Set<string>;
}

async function watchProbes(operator: KeptOperator, signal: AbortSignal): Promise<Watched> {
  const began = clock.monotonic();
  const history: History = [];
  const ailments = new Set<string>();
  while (!signal.aborted) {
    const { status, failed = [] } = (await operator.readiness()) ?? {};
    const last = history.at(-1);
    if (last?.status !== status) history.push({ at: clock.monotonic() - began, status, failed });
    else for (const line of failed) if (!last?.failed.includes(line)) last?.failed.push(line);
    for (const line of (await operator.liveness())?.failed ?? []) ailments.add(line);
    await sleep(clock, 100, signal).catch(() => undefined);
  }
  return { history, ailments };
}

interface End extends Watched {
  /** Milliseconds from healing until everything was in order. */
  recovery: number;
  operator: KeptOperator;
}

/** A world of its own, and an operator that nothing but the ordeal changes. */
async function endure(
  flags: readonly string[],
  ordeal: (there: ProxiedWorld) => Promise<number>,
): Promise<End> {
  await using stack = new AsyncDisposableStack();
  const there = await ProxiedWorld.start();
  stack.defer(() => there.close());
  const operator = await KeptOperator.start(there, flags);
  stack.defer(() => operator.stop());
  await operator.whenReady(there);
  const stop = new AbortController();
  stack.defer(() => stop.abort());
  const watching = watchProbes(operator, stop.signal);
  const recovery = await ordeal(there);
  // What broke last may still be unready.
  await sleep(clock, 5_000);
  stop.abort();
  const watched = await watching;
  await operator.stop();
  return { recovery, ...watched, operator };
}

const surviving =
  (ordeal: Omit<Ordeal, 'recovery'>) =>
  (there: ProxiedWorld): Promise<number> =>
    survive(there, { ...ordeal, recovery: LIMIT });
const everything = surviving({ strike: ({ api }) => api.add({ kind: 'black-hole' }), lasts: 20_000 });
const watches = surviving({
  strike: async ({ api }) => {
    api.add({ kind: 'black-hole', only: carriesWatch });
    await api.heal();
  },
  lasts: 0,
});
const nothing = (): Promise<number> => sleep(clock, QUIET).then(() => 0);

describe('connections that are silent, in real time', function () {
  this.timeout(2 * LIMIT + QUIET);
  const running: Record<string, Promise<End>> = {};

  before(() => {
    // All at once: each does little but wait.
    running.quiet = endure([], nothing);
    running.watches = endure([], watches);
    running.everything = endure(ALONE, everything);
    running.leader = endure([], everything);
    for (const each of Object.values(running)) each.catch(() => undefined);
  });

  async function endOf(name: string): Promise<End> {
    const end = await running[name]!;
    process.stdout.write(`      in order after ${(end.recovery / 1000).toFixed(1)} s; readiness:\n`);
    for (const { at, status, failed } of end.history)
      process.stdout.write(`        ${(at / 1000).toFixed(1)} s: ${status} ${failed.join(' ')}\n`);
    expect(end.history.at(-1)?.status).to.equal(200);
    expect([...end.ailments], 'a restart is never asked for').to.deep.equal([]);
    return end;
  }

  it('nothing happens for two and a half minutes: no watch breaks, and the operator stays ready', async () => {
    const { history, operator } = await endOf('quiet');
    expect(history.map(({ status }) => status)).to.deep.equal([200]);
    expect(operator.log.filter(({ msg }) => /^(Watch broke|List needed)/.test(String(msg)))).to.deep.equal(
      [],
    );
    expect(operator.exits).to.deep.equal([]);
  });

  for (const [what, name] of [
    ['every watch falls into a black hole', 'watches'],
    ['everything falls into a black hole for twenty seconds', 'everything'],
  ] as const) {
    it(`${what}: noticed within two minutes, told by readiness, and healed without a restart`, async () => {
      const { history, operator } = await endOf(name);
      expect(operator.exits).to.deep.equal([]);
      const unready = history.filter(({ status }) => status === 500);
      expect(unready.flatMap(({ failed }) => failed).join('\n')).to.include(
        '[-]registrytokens.pullsecrets.dev failed: the watch shows no life',
      );
      const lasted = history.map(({ at, status }, place) =>
        status === 500 ? (history[place + 1]?.at ?? at) - at : 0,
      );
      expect(Math.max(...lasted), 'a probe every ten seconds sees it').to.be.greaterThan(10_000);
    });
  }

  it('a leader falls into a black hole for twenty seconds: it ends itself, and the next goes on from there', async () => {
    const { operator } = await endOf('leader');
    expect(operator.exits).to.deep.equal([1]);
    expect(operator.lingered[0], 'milliseconds until the process was gone').to.be.lessThan(15_000);
  });
});
