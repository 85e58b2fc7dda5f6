/** Measures the operator: `npm run bench [-- SCENARIO …]`. See docs/performance.md. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Issued } from './copies.ts';
import { issueOne } from './issued.ts';
import { BundledOperator } from './operator.ts';
import { readOptions, type Options } from './options.ts';
import { render } from './report/table.ts';
import { SCENARIOS } from './scenarios.ts';
import { Stage } from './stage.ts';

/** Prints the folder of a real control plane. */
const UNPACK = fileURLToPath(new URL('../../shared/envtest/unpack', import.meta.url));

const parsed = readOptions(process.argv.slice(2));
if ('exit' in parsed) {
  (parsed.exit === 0 ? process.stdout : process.stderr).write(parsed.output);
  process.exitCode = parsed.exit;
} else await run(parsed.options);

async function run(options: Options): Promise<void> {
  const { rounds, foreign, workers } = options;
  const chosen = SCENARIOS.filter(
    ({ name }) => options.scenarios.length === 0 || options.scenarios.includes(name),
  );
  await using operator = await BundledOperator.build({ workers, nodeFlags: await nodeFlags(options) });
  await using stage = await Stage.start(options.embedded ? undefined : assets());
  tell(`on ${stage.cluster.title}; ${availableParallelism()} processors (${cpus()[0]?.model ?? 'unknown'})`);
  tell(`load when it began: ${loadavg()[0]?.toFixed(1)}; Node.js ${process.version}`);
  let template: Promise<Issued> | undefined;
  const issued = (): Promise<Issued> => (template ??= issueOne(stage, operator));
  for (const scenario of chosen) {
    const count = options.count ?? scenario.count;
    const tables = await scenario.run({ stage, operator, count, rounds, foreign, workers, issued, tell });
    for (const table of tables) process.stdout.write(`\n${render(table)}\n`);
  }
  process.stdout.write(`\nload in the end: ${loadavg()[0]?.toFixed(1)}\n`);
}

/** Where a real control plane is, if anywhere. */
function assets(): string | undefined {
  const given = process.env['KUBEBUILDER_ASSETS'];
  if (given) return given;
  return existsSync(UNPACK) ? execFileSync(UNPACK, { encoding: 'utf8' }).trim() : undefined;
}

async function nodeFlags({ profile, nodeFlag }: Options): Promise<string[]> {
  if (profile === undefined) return nodeFlag;
  const folder = resolve(profile);
  await mkdir(folder, { recursive: true });
  // The image's permissions keep the profiler from its work and its file.
  const permissions = ['--allow-inspector', `--allow-fs-write=${folder}/*`];
  return [...nodeFlag, ...permissions, '--cpu-prof', `--cpu-prof-dir=${folder}`];
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
