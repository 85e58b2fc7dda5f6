/**
 * Shows how many faults the tests notice: `npm run test:mutation`. Draws mutants at random over the source, puts one at a time
 * into the code as it is loaded, and runs the unit tests that reach it, then the simulations that do. Lists those that
 * survive, and exits 1 when fewer than `--floor` percent were caught.
 *
 * `-- --count 300 --seeds 100 --seed N --under src/token/ --floor 80 --verbose`
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runSeed, seededRandom } from '../support/random.ts';
import { Compiler } from './compiler.ts';
import { importersOf } from './imports.ts';
import { sample } from './sample.ts';
import { change, share, summary } from './summary.ts';
import { Trial, type Verdict } from './trial.ts';

const ROOT = join(import.meta.dirname, '../..');
const UNIT_TEST = /^test\/(unit|conformance)\/.*\.test\.ts$/;

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '300' },
    seeds: { type: 'string', default: '100' },
    seed: { type: 'string', default: String(runSeed()) },
    under: { type: 'string', default: 'src/' },
    floor: { type: 'string', default: '0' },
    verbose: { type: 'boolean', default: false },
  },
});
const begun = performance.now();
const folder = mkdtempSync(join(tmpdir(), 'mutation-'));
const compiler = new Compiler(ROOT);
try {
  const random = seededRandom(Number(values.seed));
  const mutants = sample(ROOT, compiler, { under: values.under, count: Number(values.count), random });
  print(`${mutants.length} mutants under ${values.under}, drawn with --seed ${values.seed}`);
  const importers = importersOf(compiler);
  const importing = (file: string): string[] =>
    [...importers(file)].filter((importer) => UNIT_TEST.test(importer)).map((test) => join(ROOT, test));
  const trial = new Trial(join(folder, 'mutants.json'), mutants, importing);
  await trial.prepare(
    [...new Set(mutants.flatMap(({ file }) => importing(file)))],
    Array.from({ length: Number(values.seeds) }, (_, index) => index + 1),
  );
  print(`all pass without any fault (${seconds()} s)`);
  const verdicts: Verdict[] = [];
  const queue = mutants.values();
  await Promise.all(
    Array.from({ length: availableParallelism() }, async () => {
      for (const mutant of queue) {
        const verdict = await trial.try(mutant);
        verdicts.push(verdict);
        if (values.verbose) {
          print(
            `${verdict.fate} ${mutant.file}:${mutant.line} ${change(mutant)}: ${verdict.by} (${seconds()} s)`,
          );
        }
      }
    }),
  );
  for (const line of summary(verdicts)) print(line);
  print(`${seconds()} s; the same again: npm run test:mutation -- --seed ${values.seed}`);
  process.exitCode = 100 * share(verdicts) < Number(values.floor) ? 1 : 0;
} finally {
  compiler.close();
  rmSync(folder, { recursive: true });
}

function seconds(): string {
  return ((performance.now() - begun) / 1000).toFixed(0);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
