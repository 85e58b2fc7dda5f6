/** Runs unit tests as the process that started this one orders. */
import Mocha from 'mocha';
import { mochaHooks as secrecy } from '../support/secrecy.ts';
import { mochaHooks as rejections } from '../support/unhandled-rejections.ts';
import { answer, type Order, type Part } from './child.ts';
import { reachedFromNow, reachedSoFar } from './reached.ts';

/** A test that waits for what does not come any more. Milliseconds. */
const TIMEOUT = 20_000;

process.once('message', (order: Order) => void run(order));

async function run({ files = [], titles, bail }: Order): Promise<void> {
  const mocha = new Mocha({
    bail,
    reporter: 'min',
    ...(bail ? { timeout: TIMEOUT } : { timeout: 3 * TIMEOUT }),
  });
  for (const hooks of [rejections, secrecy]) mocha.rootHooks(hooks);
  for (const file of files) mocha.addFile(file);
  try {
    await mocha.loadFilesAsync();
  } catch (error) {
    answer({ failed: `loading: ${String(error)}`, parts: [], loading: 0, between: [] });
    return;
  }
  if (titles) keep(mocha.suite, new Set(titles));
  const loading = performance.now();
  const between = [reachedSoFar()];
  const parts: (Omit<Part, 'reached'> & { reached: ReadonlySet<number> })[] = [];
  let failed: string | undefined;
  const runner = mocha.run(() => {
    answer({
      ...(failed === undefined ? {} : { failed }),
      parts: parts.map((part) => ({ ...part, reached: [...part.reached] })),
      loading,
      between: between.flatMap((ids) => [...ids]),
    });
  });
  runner.on('suite', () => between.push(reachedFromNow()));
  runner.on('test', (test) => {
    parts.push({
      name: test.fullTitle(),
      file: test.file ?? '',
      milliseconds: 0,
      reached: reachedFromNow(),
    });
  });
  runner.on('test end', (test) => (parts.at(-1)!.milliseconds = test.duration ?? 0));
  runner.on('fail', (test) => (failed ??= test.fullTitle()));
}

function keep(suite: Mocha.Suite, titles: ReadonlySet<string>): void {
  suite.tests = suite.tests.filter((test) => titles.has(test.fullTitle()));
  for (const inner of suite.suites) keep(inner, titles);
}
