import { drawClimate, type Climate } from './climate.ts';
import { CALM, finalComplaints, isIssuing, PATIENCE } from './final-audit.ts';
import { Dice } from './dice.ts';
import type { Choice } from './registries/registries.ts';
import { Users } from './users.ts';
import { World } from './world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Milliseconds between two deeds, by weight. */
const PAUSES = [
  [4, [10, 2_000]],
  [3, [2_000, MINUTE]],
  [3, [MINUTE, 2 * HOUR]],
  [0.5, [4 * HOUR, 12 * HOUR]],
] as const;

/** What came of it. */
export interface TwoClusters {
  violations: string[];
  journal: string[];
  /** Tokens that each of the two made after the backup. */
  made: readonly [original: number, copy: number];
}

/**
 * Runs a cluster for a while, restores a backup of it as a second cluster with the same ids on the same registries, and goes on
 * with both, users and trouble in each, then in calm. The audits of both look on.
 */
export async function simulateTwoClusters(
  seed: number,
  {
    given,
    choice,
    journal = false,
  }: { given?: Climate | undefined; choice?: Choice; journal?: boolean } = {},
): Promise<TwoClusters> {
  const dice = new Dice(seed ^ 0x2c);
  const climate = { ...(given ?? drawClimate(new Dice(seed))), restores: false };
  const original = new World({ seed, journal, climate, choice });
  const run = new Run(original, dice.fork());
  try {
    await original.begin();
    await run.storm(dice.between(2, 8));
    const backup = original.backup();
    await run.storm(dice.between(0, 4));
    const copy = new World({ seed: seed + 1_000_000, journal, backup, climate });
    await copy.restore(backup);
    run.add(copy);
    await run.storm(dice.between(5, 20));
    await run.calm();
  } catch (error) {
    original.audit.fail(`the simulation broke: ${error instanceof Error ? error.stack : String(error)}`);
  }
  return run.end();
}

class Run {
  readonly #dice: Dice;
  readonly #sides: { world: World; users: Users }[] = [];

  constructor(world: World, dice: Dice) {
    this.#dice = dice;
    this.add(world);
  }

  add(world: World): void {
    this.#sides.push({ world, users: new Users(world, this.#dice.fork()) });
    const watch = (): void => {
      world.audit.look();
      world.clock.after(MINUTE, watch);
    };
    watch();
  }

  async storm(deeds: number): Promise<void> {
    for (let left = deeds; left > 0 && this.#good; left--) {
      await this.#dice.pick(this.#sides).users.act();
      const [least, most] = this.#dice.weighted(PAUSES);
      await this.#pass(this.#dice.between(least, most));
    }
  }

  async calm(): Promise<void> {
    for (const { world, users } of this.#sides) {
      world.clearUp();
      await users.tidyUp();
    }
    await this.#pass(CALM);
    const isAnyIssuing = (): boolean => this.#sides.some(({ world }) => isIssuing(world));
    for (let left = PATIENCE; left > 0 && this.#good && isAnyIssuing(); left -= MINUTE)
      await this.#pass(MINUTE);
    if (!this.#good) return;
    for (const { world } of this.#sides)
      for (const complaint of finalComplaints(world)) world.audit.fail(complaint);
  }

  end(): TwoClusters {
    const worlds = this.#sides.map(({ world }) => world);
    for (const world of worlds) {
      world.leader?.kill();
      world.server.close();
    }
    const [original, copy] = worlds;
    return {
      violations: worlds.flatMap(({ audit }, at) => audit.violations.map((what) => `${TITLES[at]}: ${what}`)),
      journal: worlds
        .flatMap(({ journal }, at) => journal.lines.map((line) => `${TITLES[at]}: ${line}`))
        .sort(),
      made: [copy?.audit.elsewhere.size ?? 0, copy ? (original?.audit.elsewhere.size ?? 0) : 0],
    };
  }

  get #good(): boolean {
    return this.#sides.every(({ world }) => world.audit.violations.length === 0);
  }

  async #pass(milliseconds: number): Promise<void> {
    const clock = this.#sides[0]?.world.clock;
    if (!clock) return;
    const end = clock.monotonic() + milliseconds;
    for (let steps = 1; this.#good && clock.monotonic() + (clock.untilNext ?? Infinity) <= end; steps++) {
      await clock.step();
      // Now and then the event loop gets its turn, so that a test's timeout ends an operator that goes round in circles.
      if (steps % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    if (this.#good) await clock.advance(Math.max(0, end - clock.monotonic()));
  }
}

const TITLES = ['original', 'copy'];
