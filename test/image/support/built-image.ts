import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildImage } from '../../../scripts/image.ts';
import type { OciImage } from '../../../scripts/image/oci-archive.ts';

const run = promisify(execFile);
const CHROOT = '/usr/sbin/chroot';

export interface ImageConfig {
  created: string;
  architecture: string;
  os: string;
  config: { User: string; WorkingDir: string; Entrypoint: string[]; Labels: Record<string, string> };
  rootfs: { diff_ids: string[] };
}

interface Descriptor {
  digest: string;
  size: number;
}

/** An image as a registry would have it, and unpacked as a container runtime would. */
export interface BuiltImage extends OciImage {
  config: ImageConfig;
  /** Folder with the image's files. */
  root: string;
  /** Folder with its OCI layout. */
  layout: string;
  /** What lies in the image, with a slash after folders, sorted. */
  files: string[];
  /** Starts a command of the image as the image's user, in its file system and with this environment alone. Takes root. */
  start: (command: readonly string[], env?: NodeJS.ProcessEnv) => ChildProcess;
  /** What a command has printed when it has ended. @throws Error unless it ended with 0 */
  run: (command: readonly string[], env?: NodeJS.ProcessEnv) => Promise<{ stdout: string; stderr: string }>;
}

const readJson = async <T>(path: string): Promise<T> => JSON.parse(await readFile(path, 'utf8')) as T;

/** The image, built once for all tests. Its folder goes when the tests are done. */
export function builtImage(): Promise<BuiltImage> {
  built ??= build();
  return built;
}
let built: Promise<BuiltImage> | undefined;
let folder: string | undefined;

// Imported by a test file, this becomes a hook of the whole run.
after(async () => {
  if (folder !== undefined) await rm(folder, { recursive: true });
});

async function build(): Promise<BuiltImage> {
  folder = await mkdtemp(join(tmpdir(), 'image-'));
  const image = await buildImage({
    folder,
    name: 'local.test/operator:1',
    revision: 'abc',
    time: 1_700_000_000,
  });
  const layout = join(folder, 'layout');
  const root = join(folder, 'root');
  await mkdir(layout);
  await mkdir(root);
  await writeFile(join(folder, 'image.tar'), image.archive);
  await run('tar', ['-xf', join(folder, 'image.tar'), '-C', layout]);
  const blob = (digest: string): string => join(layout, 'blobs', digest.replace(':', '/'));
  const index = await readJson<{ manifests: [Descriptor] }>(join(layout, 'index.json'));
  const manifest = await readJson<{ config: Descriptor; layers: Descriptor[] }>(
    blob(index.manifests[0].digest),
  );
  const files: string[] = [];
  for (const { digest } of manifest.layers) {
    await run('tar', ['-xpzf', blob(digest), '-C', root]);
    const { stdout } = await run('tar', ['-tzf', blob(digest)]);
    files.push(...stdout.trim().split('\n'));
  }
  const config = await readJson<ImageConfig>(blob(manifest.config.digest));
  const inside = (command: readonly string[]): string[] => [
    `--userspec=${config.config.User}`,
    root,
    ...command,
  ];
  return {
    ...image,
    config,
    root,
    layout,
    files,
    start: (command, env = {}) =>
      spawn(CHROOT, inside(command), { env, stdio: ['ignore', 'pipe', 'inherit'] }),
    run: (command, env = {}) => run(CHROOT, inside(command), { env }),
  };
}
