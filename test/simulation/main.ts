/**
 * Simulates the operator with many seeds: `npm run test:simulation -- --seeds 2000`. A seed that fails is run again with
 * its journal, which is printed. `--seed N` runs that one alone and prints its journal in any case; with `--seeds` it is the
 * first. `--bail` ends with the first that fails, without its journal. Exits 1 when any failed.
 */
import { parseArgs } from 'node:util';
import { describeFigures, NOTHING, sum, type Outcome } from './figures.ts';
import { VARIANTS } from './registries/registries.ts';
import { runSeeds } from './seed-runner.ts';
import { simulate } from './simulation.ts';

/** Failed seeds whose journals are printed. */
const MAX_JOURNALS = 3;
const DEFAULT_SEEDS = 2000;

const { values } = parseArgs({
  options: { seed: { type: 'string' }, seeds: { type: 'string' }, bail: { type: 'boolean', default: false } },
});
const first = numberOf('seed', values.seed ?? '1');
const count =
  values.seeds === undefined
    ? values.seed === undefined
      ? DEFAULT_SEEDS
      : 1
    : numberOf('seeds', values.seeds);

const begun = performance.now();
const outcomes = count === 1 ? [await simulate({ seed: first })] : await runSeeds(first, count, values.bail);
const isFailed = ({ violations }: Outcome): boolean => violations.length > 0;
const failed = outcomes.filter(isFailed);
for (const { seed } of count === 1 ? outcomes : failed.slice(0, values.bail ? 0 : MAX_JOURNALS)) {
  const { journal } = await simulate({ seed, journal: true });
  print(`\nseed ${seed}\n${journal.join('\n')}\n`);
}
for (const { seed, choice, violations } of failed)
  print(`seed ${seed} failed (${choice.default}, ${choice.other}): ${violations.join('; ')}`);
for (const variant of VARIANTS) {
  const of = outcomes.filter(({ choice }) => Object.values(choice).includes(variant));
  print(`an account of ${variant}: ${of.length} seeds, ${of.filter(isFailed).length} failed`);
}
const figures = outcomes.map((outcome) => outcome.figures).reduce(sum, NOTHING);
const seconds = ((performance.now() - begun) / 1000).toFixed(1);
print(
  `${outcomes.length} seeds from ${first} on, ${failed.length} failed, ${seconds} s: ${describeFigures(figures)}`,
);
process.exitCode = failed.length === 0 ? 0 : 1;

function numberOf(option: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  print(`--${option} takes a whole number from 1 on, not ${text}`);
  process.exit(2);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
