import type { Climate } from './climate.ts';
import type { Outcome } from './figures.ts';
import { CALM, finalComplaints, isIssuing, PATIENCE } from './final-audit.ts';
import { Users, type Deed } from './users.ts';
import type { Choice } from './registries/registries.ts';
import { REWORDED } from './webhooks.ts';
import { World } from './world.ts';

export interface SimulationOptions {
  seed: number;
  journal?: boolean;
  climate?: Climate;
  /** The operator dies at the boundary of that number, counted from 1. */
  crashAt?: number;
  /** The operator is stopped at the boundary of that number for longer than its lease. */
  freezeAt?: number;
  /** The registry of each account; drawn unless given. */
  choice?: Choice | undefined;
  /** What users do, and the milliseconds after each of it; default: by the seed. */
  script?: { deeds: readonly Deed[]; pause: number };
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** After a restart nothing is done for as long as this. */
const RESTART = 2 * MINUTE;
const DEEDS = { least: 5, most: 25 };
/** Milliseconds between two deeds, by weight. */
const PAUSES = [
  [6, [10, 2_000]],
  [3, [2_000, MINUTE]],
  [1.5, [MINUTE, HOUR]],
  [0.2, [4 * HOUR, 12 * HOUR]],
] as const;

/** Runs one simulation: some hours of trouble, then calm, then a restart of the operator. */
export async function simulate(options: SimulationOptions): Promise<Outcome> {
  const world = new World(options);
  const run = new Run(world, options.script);
  try {
    await world.begin();
    await run.storm();
    await run.calm();
    await run.restart();
  } catch (error) {
    world.audit.fail(`the simulation broke: ${error instanceof Error ? error.stack : String(error)}`);
  }
  world.leader?.kill();
  world.server.close();
  const mints = world.audit.mints.all();
  const lost = mints.filter(({ inForce }) => !inForce);
  const { boundaries, crashes, freezes, webhooks, restores } = world.counts;
  const figures = {
    steps: run.steps,
    boundaries,
    crashes,
    freezes,
    webhooks,
    restores,
    mints: mints.length,
    exchanges: world.audit.exchanges.count,
    recorded: mints.length - lost.length,
    lost: lost.length,
    swept: mints.filter(({ late, abandoned, stranded }) => late || abandoned || stranded).length,
  };
  const { boundariesInStorm } = run;
  const changedBefore = world.changedBefore.filter((boundary) => boundary <= boundariesInStorm);
  const { violations } = world.audit;
  const { choice } = world.registries;
  const { lines: journal } = world.journal;
  return { seed: options.seed, choice, violations, journal, figures, boundariesInStorm, changedBefore };
}

class Run {
  steps = 0;
  readonly #world: World;
  readonly #users: Users;
  readonly #script: SimulationOptions['script'];
  boundariesInStorm = 0;

  constructor(world: World, script: SimulationOptions['script']) {
    this.#world = world;
    this.#users = new Users(world, world.dice.fork());
    this.#script = script;
  }

  /** Users act, things go wrong. */
  async storm(): Promise<void> {
    const { clock } = this.#world;
    const watch = (): void => {
      this.#world.audit.look();
      clock.after(MINUTE, watch);
    };
    watch();
    for (const { deed, pause } of this.#plan()) {
      if (!this.#good) return;
      await this.#users.act(deed);
      await this.#pass(pause);
    }
    this.boundariesInStorm = this.#world.counts.boundaries;
  }

  *#plan(): Generator<{ deed?: Deed; pause: number }> {
    const { dice } = this.#world;
    if (this.#script) {
      const { deeds, pause } = this.#script;
      for (const deed of deeds) yield { deed, pause };
      return;
    }
    for (let left = dice.between(DEEDS.least, DEEDS.most); left > 0; left--) {
      const [least, most] = dice.weighted(PAUSES);
      yield { pause: dice.between(least, most) };
    }
  }

  async calm(): Promise<void> {
    if (!this.#good) return;
    this.#world.clearUp();
    await this.#users.tidyUp();
    await this.#pass(CALM);
    for (let left = PATIENCE; left > 0 && this.#good && isIssuing(this.#world); left -= MINUTE)
      await this.#pass(MINUTE);
    if (this.#good) for (const complaint of finalComplaints(this.#world)) this.#world.audit.fail(complaint);
  }

  /** A restart with nothing to do does nothing. */
  async restart(): Promise<void> {
    const { audit, leader } = this.#world;
    if (!this.#good || !leader || this.#isDue()) return;
    const count = (): number => audit.mints.all().length + audit.exchanges.count;
    const before = { mints: count(), writes: audit.writes };
    this.#world.crash(leader, 'in the calm');
    await this.#pass(RESTART);
    const after = { mints: count(), writes: audit.writes };
    if (after.mints > before.mints) audit.fail('a restart created tokens');
    if (after.writes > before.writes) audit.fail(`a restart made ${after.writes - before.writes} writes`);
  }

  /** Whether something was to be done just then anyway. */
  #isDue(): boolean {
    const now = this.#world.clock.now();
    const near = (time: string | undefined): boolean =>
      time !== undefined && Math.abs(Date.parse(time) - now) < 2 * RESTART;
    return this.#world.tokens().some(
      ({ status }) =>
        // The operator looks at the registry's lists as it starts.
        this.#world.audit.takenAway.has(status?.token?.id ?? '') ||
        // It tells of a clock that was wrong until the next look at it.
        status?.conditions?.some(({ reason }) => reason === 'ClockSkew' || reason === 'ClocksDiffer') ||
        // So does what a webhook made of it.
        status?.conditions?.some(({ message }) => message === REWORDED) ||
        status?.previousTokens?.some(
          ({ revokeAt, nextAttemptTime }) => near(revokeAt) || near(nextAttemptTime),
        ) ||
        near(status?.nextRotationTime) ||
        near(status?.lastRotation?.time) ||
        near(status?.nextRetryTime) ||
        near(status?.token?.expiresAt),
    );
  }

  get #good(): boolean {
    return this.#world.audit.violations.length === 0;
  }

  async #pass(milliseconds: number): Promise<void> {
    const { clock } = this.#world;
    const end = clock.monotonic() + milliseconds;
    while (this.#good && clock.monotonic() + (clock.untilNext ?? Infinity) <= end) {
      await clock.step();
      // Now and then the event loop gets its turn, so that a test's timeout ends an operator that goes round in circles.
      if (++this.steps % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    if (this.#good) await clock.advance(Math.max(0, end - clock.monotonic()));
  }
}
