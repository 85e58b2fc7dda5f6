import { writeFileSync } from 'node:fs';
import { runChild, type Order, type Part, type Report } from './child.ts';
import type { Mutant } from './mutant.ts';

/** What became of a mutant, and who noticed it. */
export interface Verdict {
  mutant: Mutant;
  /** `unreached`: no test and no seed gets to it, so none was run. */
  fate: 'caught' | 'timed out' | 'survived' | 'unreached';
  by: string;
}

/** Milliseconds of CPU time, for everything without any fault. */
const MAX_DRY_RUN = 900_000;
/** A mutant may take so many times the CPU time that loading all tests and running its own take by the clock without it. */
const PATIENCE = 5;

/** Tries mutants: on the unit tests that reach them, then on the simulations that do. */
export class Trial {
  readonly #path: string;
  readonly #importers: (file: string) => readonly string[];
  #tests: Report = { parts: [], loading: 0, between: [] };
  #seeds: Report = { parts: [], loading: 0, between: [] };

  /**
   * @param path where to write down the mutants for child processes
   * @param importers the files of unit tests that import a file, in however many steps
   */
  constructor(path: string, mutants: readonly Mutant[], importers: (file: string) => readonly string[]) {
    this.#path = path;
    this.#importers = importers;
    writeFileSync(path, JSON.stringify(mutants));
  }

  /**
   * Finds out what reaches which mutant.
   * @param files of unit tests, absolute
   * @throws Error when something fails without any fault
   */
  async prepare(files: string[], seeds: number[]): Promise<void> {
    const dry = { mutants: this.#path, limit: MAX_DRY_RUN };
    const reports = await Promise.all([
      runChild('unit-tests.ts', { files, bail: false }, dry),
      runChild('simulations.ts', { seeds, bail: false }, dry),
    ]);
    const [tests, simulations] = reports.map((report) => {
      if (typeof report === 'string') throw new Error(`without any fault the tests ${report}`);
      if (report.failed !== undefined) throw new Error(`fails without any fault: ${report.failed}`);
      return report;
    });
    this.#tests = tests!;
    this.#seeds = simulations!;
  }

  async try(mutant: Mutant): Promise<Verdict> {
    const tests = this.#testsOf(mutant);
    const seeds = reaching(this.#seeds, mutant, () => true);
    if (tests.length + seeds.length === 0) return { mutant, fate: 'unreached', by: '' };
    const stages: [program: string, parts: Part[], order: Omit<Order, 'bail'>][] = [
      [
        'unit-tests.ts',
        tests,
        { files: [...new Set(tests.map(({ file = '' }) => file))], titles: tests.map(({ name }) => name) },
      ],
      ['simulations.ts', seeds, { seeds: seeds.map(({ name }) => Number(name)) }],
    ];
    for (const [program, parts, order] of stages) {
      if (parts.length === 0) continue;
      const time = parts.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
      const limit = PATIENCE * (time + Math.max(this.#tests.loading, this.#seeds.loading));
      const ending = await runChild(
        program,
        { ...order, bail: true },
        { mutants: this.#path, mutant: mutant.id, limit },
      );
      if (ending === 'timed out') return { mutant, fate: 'timed out', by: program };
      if (ending === 'broke') return { mutant, fate: 'caught', by: `${program} ended` };
      if (ending.failed !== undefined) return { mutant, fate: 'caught', by: ending.failed };
    }
    return { mutant, fate: 'survived', by: '' };
  }

  #testsOf(mutant: Mutant): Part[] {
    const importers = this.#importers(mutant.file);
    return reaching(this.#tests, mutant, ({ file = '' }) => importers.includes(file));
  }
}

/** The parts that reach a mutant, quick ones first; where it is reached between parts, all that may be touched by that. */
function reaching({ parts, between }: Report, { id }: Mutant, touched: (part: Part) => boolean): Part[] {
  const anyway = between.includes(id);
  return parts
    .filter((part) => part.reached.includes(id) || (anyway && touched(part)))
    .sort((a, b) => a.milliseconds - b.milliseconds);
}
