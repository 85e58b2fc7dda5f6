/**
 * Shows that the tests notice faults: `npm run test:mutation`. Puts each of the faults in test/mutation/mutations.ts into a
 * copy of the tree, one at a time, and runs the tests that are to notice it. Exits 1 when one survives, when its text is no
 * longer there, or when the tests fail without any fault. `--fast` leaves out those that take many simulations.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MUTATIONS, type Mutation, type Tests } from '../test/mutation/mutations.ts';

const ROOT = join(import.meta.dirname, '..');
const COPIED = ['src', 'sandbox', 'test', 'crds', 'package.json', 'tsconfig.json', '.mocharc.json'];
/** Simulations that the fast part runs for one fault at most. */
const FEW_SEEDS = 80;
/** A fault can make a test go on for ever. Milliseconds. */
const TIMEOUT = 180_000;

type Result = 'caught' | 'SURVIVES' | 'DOES NOT APPLY';

const { values } = parseArgs({ options: { fast: { type: 'boolean', default: false } } });
const chosen = MUTATIONS.filter(({ caughtBy }) => !values.fast || isFast(caughtBy));
const tree = mkdtempSync(join(tmpdir(), 'mutation-'));
try {
  for (const name of COPIED) cpSync(join(ROOT, name), join(tree, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(tree, 'node_modules'));
  process.exitCode = allPass() && checkAll() ? 0 : 1;
} finally {
  rmSync(tree, { recursive: true });
}

function isFast(tests: Tests): boolean {
  return 'files' in tests || tests.seeds <= FEW_SEEDS;
}

/** Whether the tests pass without any fault: otherwise they would tell nothing. */
function allPass(): boolean {
  const files = chosen.flatMap(({ caughtBy }) => ('files' in caughtBy ? caughtBy.files : []));
  const seeds = Math.max(...chosen.map(({ caughtBy }) => ('seeds' in caughtBy ? caughtBy.seeds : 1)));
  const passes = pass({ files: [...new Set(files)] }) && pass({ seeds });
  console.log(passes ? 'ok       without any fault' : 'FAILED   without any fault');
  return passes;
}

function checkAll(): boolean {
  const results = chosen.map((mutation) => {
    const begun = performance.now();
    const result = check(mutation);
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    console.log(
      `${result === 'caught' ? 'caught  ' : result} ${mutation.name} (${mutation.file}, ${seconds} s)`,
    );
    return result;
  });
  const caught = results.filter((result) => result === 'caught').length;
  console.log(`${chosen.length} faults, ${caught} caught`);
  return caught === chosen.length;
}

function check({ file, search, replace, caughtBy }: Mutation): Result {
  const path = join(tree, file);
  const source = readFileSync(path, 'utf8');
  if (source.split(search).length !== 2) return 'DOES NOT APPLY';
  writeFileSync(
    path,
    source.replace(search, () => replace),
  );
  try {
    return pass(caughtBy) ? 'SURVIVES' : 'caught';
  } finally {
    writeFileSync(path, source);
  }
}

function pass(tests: Tests): boolean {
  const command =
    'files' in tests
      ? ['node_modules/mocha/bin/mocha.js', '--bail', ...tests.files]
      : ['test/simulation/main.ts', '--bail', '--seeds', String(tests.seeds)];
  const { status } = spawnSync(process.execPath, command, { cwd: tree, stdio: 'ignore', timeout: TIMEOUT });
  return status === 0;
}
