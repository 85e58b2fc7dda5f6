/**
 * Every check there is besides the tests, two at a time: `npm run check`. A line for each with its time, then what the failed
 * ones said; exits 1 when any failed.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { glob, readFile } from 'node:fs/promises';
import {
  backEndImports,
  clockReadings,
  conditionReadings,
  inexactDependencies,
  oddLimits,
  oversizedDefinitions,
  tooLong,
  type SourceFile,
} from './house-rules.ts';

interface Check {
  name: string;
  /** @returns complaints; none when all is well */
  run(): Promise<string>;
}

const PARALLEL = 2;
const SOURCES = ['src', 'sandbox', 'test', 'scripts', 'bench'].filter((folder) => existsSync(folder));
const GENERATED = 'src/api/generated/';

const checks: Check[] = [
  command('lint', 'oxlint', '--type-aware', ...SOURCES),
  command('format', 'prettier', '--check', '--log-level=warn', '.'),
  command('types', 'tsc', '-p', '.'),
  command('generated CRDs', process.execPath, 'scripts/generate-crds.ts', '--check'),
  command('generated types', process.execPath, 'scripts/generate-types.ts', '--check'),
  command('chart', process.execPath, 'scripts/generate-chart.ts', '--check'),
  command('pictures', process.execPath, 'scripts/generate-pictures.ts', '--check'),
  command('workflows', process.execPath, 'scripts/workflows.ts'),
  rule('file length', async () => {
    const files = await read(`{${SOURCES.join(',')}}/**/*.ts`);
    return tooLong(files.filter(({ path }) => !path.startsWith(GENERATED)));
  }),
  rule('clock', async () => clockReadings(await read('src/**/*.ts'))),
  rule('back ends', async () => backEndImports(await read('src/**/*.ts'))),
  rule('limits', async () => oddLimits(await read('{src,sandbox,scripts,bench,test}/**/*.ts'))),
  rule('conditions', async () => conditionReadings(await read('src/**/*.ts'))),
  rule('size of definitions', async () => oversizedDefinitions(await read('crds/*.yaml'))),
  rule('exact dependencies', async () => {
    const manifest = await readFile('package.json', 'utf8');
    return inexactDependencies(JSON.parse(manifest) as Record<string, unknown>);
  }),
];

function command(name: string, program: string, ...args: string[]): Check {
  return {
    name,
    run: () =>
      new Promise((resolve, reject) => {
        const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
        let output = '';
        child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
        child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
        child.on('error', reject);
        child.on('close', (code) => resolve(code === 0 ? '' : output || `${program} ended with ${code}\n`));
      }),
  };
}

function rule(name: string, complaints: () => Promise<string[]>): Check {
  return { name, run: async () => (await complaints()).map((line) => `${line}\n`).join('') };
}

async function read(pattern: string): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for await (const path of glob(pattern)) files.push({ path, text: await readFile(path, 'utf8') });
  return files.sort((a, b) => a.path.localeCompare(b.path));
}

const waiting = [...checks];
const failures: string[] = [];
async function worker(): Promise<void> {
  for (let check = waiting.shift(); check; check = waiting.shift()) {
    const started = performance.now();
    const said = await check.run().catch((error: unknown) => `${String(error)}\n`);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${said === '' ? 'ok    ' : 'FAILED'} ${check.name} (${seconds} s)`);
    if (said !== '') failures.push(`\n${check.name}:\n${said.trimEnd()}`);
  }
}
await Promise.all(Array.from({ length: PARALLEL }, worker));
for (const failure of failures) console.log(failure);
process.exitCode = failures.length > 0 ? 1 : 0;
