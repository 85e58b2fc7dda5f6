/**
 * Shows that the tests notice faults: `npm run test:mutation`. Puts each of the faults in test/mutation/mutations.ts into a
 * copy of the tree, one at a time, and runs the tests that are to notice it. Says which test or seed did. Exits 1 when one
 * survives, when it is not seen in time, when no test or seed is to be named, when its text is no longer there, or when the
 * tests fail without any fault.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shorten } from '../src/api/text.ts';
import { MUTATIONS, type Mutation, type Tests } from '../test/mutation/mutations.ts';

const ROOT = join(import.meta.dirname, '..');
const COPIED = ['src', 'sandbox', 'test', 'crds', 'package.json', 'tsconfig.json', '.mocharc.json'];
/** A fault can make a test go on for ever. Milliseconds, for one fault and for all tests without any. */
const TIMEOUT = 300_000;
const LONGEST = 900_000;
const CAUGHT = 'caught  ';
const VERDICTS = { passed: 'SURVIVES', 'timed out': 'NOT SEEN IN TIME', broke: 'NO TEST FAILED' } as const;

/** `by`: the first test or seed that failed. */
type Run = { result: 'passed' | 'timed out' | 'broke' } | { result: 'failed'; by: string };

const tree = mkdtempSync(join(tmpdir(), 'mutation-'));
try {
  for (const name of COPIED) cpSync(join(ROOT, name), join(tree, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(tree, 'node_modules'));
  process.exitCode = allPass() && checkAll() ? 0 : 1;
} finally {
  rmSync(tree, { recursive: true });
}

/** Whether the tests pass without any fault: otherwise they would tell nothing. */
function allPass(): boolean {
  const files = MUTATIONS.flatMap(({ caughtBy }) => ('files' in caughtBy ? caughtBy.files : []));
  const seeds = Math.max(...MUTATIONS.map(({ caughtBy }) => ('seeds' in caughtBy ? caughtBy.seeds : 1)));
  const runs = [run({ files: [...new Set(files)] }, LONGEST), run({ seeds }, LONGEST)];
  const passes = runs.every(({ result }) => result === 'passed');
  console.log(passes ? 'ok       without any fault' : `FAILED   without any fault: ${JSON.stringify(runs)}`);
  return passes;
}

function checkAll(): boolean {
  const caught = MUTATIONS.filter((mutation) => {
    const begun = performance.now();
    const { verdict, by } = check(mutation);
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    console.log(`${verdict} ${mutation.name} (${mutation.file}, ${seconds} s)${by}`);
    return verdict === CAUGHT;
  });
  console.log(`${MUTATIONS.length} faults, ${caught.length} caught`);
  return caught.length === MUTATIONS.length;
}

function check({ file, search, replace, caughtBy }: Mutation): { verdict: string; by: string } {
  const path = join(tree, file);
  const source = readFileSync(path, 'utf8');
  if (source.split(search).length !== 2) return { verdict: 'DOES NOT APPLY', by: '' };
  writeFileSync(
    path,
    source.replace(search, () => replace),
  );
  try {
    const outcome = run(caughtBy);
    if (outcome.result === 'failed') return { verdict: CAUGHT, by: `: ${outcome.by}` };
    return { verdict: VERDICTS[outcome.result], by: '' };
  } finally {
    writeFileSync(path, source);
  }
}

function run(tests: Tests, timeout = TIMEOUT): Run {
  const command =
    'files' in tests
      ? ['node_modules/mocha/bin/mocha.js', '--bail', '--reporter', 'json', ...tests.files]
      : ['test/simulation/main.ts', '--bail', '--seeds', String(tests.seeds)];
  const options = { cwd: tree, encoding: 'utf8', timeout, maxBuffer: 2 ** 28 } as const;
  const { status, stdout } = spawnSync(process.execPath, command, options);
  if (status === null) return { result: 'timed out' };
  if (status === 0) return { result: 'passed' };
  const by = 'files' in tests ? failedTest(stdout) : failedSeed(stdout);
  return by === undefined ? { result: 'broke' } : { result: 'failed', by: shorten(by, 160) };
}

function failedSeed(output: string): string | undefined {
  return /^seed \d+ failed: .*$/m.exec(output)?.[0];
}

/** The test that failed, if that is what happened: a fault that does not even load, or a test that waits in vain, shows nothing. */
function failedTest(output: string): string | undefined {
  const start = output.indexOf('{\n');
  if (start < 0) return undefined;
  const { failures } = JSON.parse(output.slice(start)) as {
    failures: { fullTitle: string; err: { code?: string } }[];
  };
  return failures.find(({ err }) => err.code !== 'ERR_MOCHA_TIMEOUT')?.fullTitle;
}
