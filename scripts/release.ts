/**
 * Publishes a release: image, chart, static manifest, kubectl plugin, all signed. Runs in the release workflow of GitHub only, for a tag vX.Y.Z that
 * is package.json's version. `npm run release -- --dry-run` prints what it would do, and does nothing.
 */
import { execFileSync, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import packageJson from '../package.json' with { type: 'json' };
import { helmTools } from './helm-tools.ts';
import { FILES, makeFiles } from './release/files.ts';
import { checkRepository, type Release } from './release/names.ts';
import { obstaclesOf } from './release/obstacles.ts';
import { digestIn, FOLDER, plan, shown, type BaseImages, type Digests, type Step } from './release/plan.ts';

const { values } = parseArgs({
  options: {
    'dry-run': { type: 'boolean', default: false },
    // Publish the plugin to npm, too.
    npm: { type: 'boolean', default: false },
    // OWNER/NAME; only where nothing is published.
    repository: {
      type: 'string',
      default: process.env['GITHUB_REPOSITORY'] ?? 'OWNER/registry-token-operator',
    },
  },
});

const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim();

const release: Release = {
  version: packageJson.version,
  repository: checkRepository(values.repository),
  revision: git('rev-parse', 'HEAD'),
  time: Number(git('log', '-1', '--format=%ct')),
};
const changelog = await readFile('CHANGELOG.md', 'utf8');
const steps = plan(release, baseImages(await readFile('Dockerfile', 'utf8')), {
  files: Object.keys(FILES(release.version)),
  npm: values.npm,
});
const obstacles = obstaclesOf(release, {
  environment: process.env,
  changelog,
  dirty: git('status', '--porcelain') !== '',
});
if (values['dry-run']) announce();
else if (obstacles.length > 0) refuse();
else await publish();

function refuse(): void {
  for (const obstacle of obstacles) console.error(`not released: ${obstacle}`);
  console.error('npm run release -- --dry-run shows what would be done');
  process.exitCode = 1;
}

function announce(): void {
  console.log(`Release ${release.version} of ${release.repository}, commit ${release.revision}.\n`);
  console.log(`Files in ${FOLDER}:`);
  for (const [file, what] of Object.entries(FILES(release.version))) console.log(`  ${file}: ${what}`);
  const placeholders = { builder: '', base: '', image: '', chart: '' };
  for (const which of Object.keys(placeholders) as (keyof Digests)[])
    placeholders[which] = `sha256:DIGEST-OF-${which.toUpperCase()}`;
  for (const { title, command } of steps) console.log(`\n${title}:\n  ${shown(command(placeholders))}`);
  console.log('\nNothing was done.');
  for (const obstacle of obstacles) console.log(`Without --dry-run, refused: ${obstacle}`);
}

async function publish(): Promise<void> {
  const { helm } = await helmTools(4);
  await makeFiles(release, { folder: FOLDER, helm, changelog });
  const digests = { builder: '', base: '', image: '', chart: '' };
  for (const step of steps) {
    console.log(`\n${step.title}:\n  ${shown(step.command(digests))}`);
    const output = await run(step, digests, dirname(helm));
    if (step.tells !== undefined) digests[step.tells] = digestIn(output);
  }
}

/** Runs a step's program, and shows what it says meanwhile. @returns what it said @throws Error when it fails */
function run({ title, command }: Step, digests: Digests, tools: string): Promise<string> {
  const [program = '', ...args] = command(digests);
  const env = { ...process.env, PATH: `${tools}:${process.env['PATH']}` };
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        process.stdout.write(chunk);
        output += chunk.toString();
      });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${title}: ${program} ended with ${code}`));
    });
  });
}

/** The Dockerfile's own base images. */
function baseImages(dockerfile: string): BaseImages {
  const named = (name: string): string => {
    const [, image] = new RegExp(`^ARG ${name}=(\\S+)$`, 'm').exec(dockerfile) ?? [];
    if (image === undefined) throw new Error(`Dockerfile: no default for the argument ${name}`);
    return image;
  };
  return { builder: named('BUILDER'), base: named('BASE') };
}
