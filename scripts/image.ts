/**
 * Makes the image that the Dockerfile describes without a container engine, on this machine's own Debian libraries and the
 * Node the tests run on, in place of a base image from elsewhere. `npm run image -- --output image.tar --name NAME:TAG`
 *
 * The time in it is SOURCE_DATE_EPOCH (seconds since 1970, default 0): the same sources give the same digest.
 */
import { readdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import packageJson from '../package.json' with { type: 'json' };
import { bundle } from './bundle.ts';
import { debianBase } from './image/debian-base.ts';
import { readSettings } from './image/dockerfile.ts';
import { ociImage, type OciImage } from './image/oci-archive.ts';
import type { Entry } from './image/tar.ts';
import { bundleForImage, PROGRAM } from './plugin/program.ts';

export interface ImageOptions {
  /** For what the bundler writes. */
  folder: string;
  name: string;
  /** Of the sources' version control. */
  revision: string;
  /** Seconds since 1970. */
  time: number;
}

/** As OCI names what Node calls `process.arch`. */
const ARCHITECTURES: Partial<Record<NodeJS.Architecture, string>> = { x64: 'amd64', arm64: 'arm64' };

/** Bundles the operator and puts it into an image. @throws Error on anything but a Debian on x64 or arm64 */
export async function buildImage({ folder, name, revision, time }: ImageOptions): Promise<OciImage> {
  const architecture = ARCHITECTURES[process.arch];
  if (process.platform !== 'linux' || architecture === undefined)
    throw new Error(`no image can be made on ${process.platform}/${process.arch}; take the Dockerfile`);
  await bundle(folder);
  await bundleForImage(folder);
  const settings = readSettings(await readFile('Dockerfile', 'utf8'), {
    VERSION: packageJson.version,
    REVISION: revision,
    CREATED: new Date(time * 1000).toISOString(),
  });
  const base = await debianBase(await realpath(process.execPath));
  return ociImage({
    name,
    settings,
    layers: [
      base,
      [
        ...(await appFiles(join(folder, 'app'))),
        ...pluginEntries(await readFile(join(folder, 'bin', PROGRAM))),
      ],
    ],
    architecture,
    time,
  });
}

/** The Dockerfile's COPY of dist/app to /app. */
async function appFiles(app: string): Promise<Entry[]> {
  const files = await readdir(app);
  return [
    { path: 'app', mode: 0o755, content: 'folder' },
    ...(await Promise.all(
      files.map(async (file): Promise<Entry> => {
        const content = { file: await readFile(join(app, file)) };
        return { path: `app/${file}`, mode: 0o644, content };
      }),
    )),
  ];
}

/** The Dockerfile's COPY of dist/bin to /usr/local/bin. */
function pluginEntries(file: Buffer): Entry[] {
  return [
    { path: 'usr/local', mode: 0o755, content: 'folder' },
    { path: 'usr/local/bin', mode: 0o755, content: 'folder' },
    { path: `usr/local/bin/${PROGRAM}`, mode: 0o755, content: { file } },
  ];
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      output: { type: 'string', default: 'dist/image.tar' },
      name: { type: 'string', default: `${packageJson.name}:${packageJson.version}` },
      revision: { type: 'string', default: 'unknown' },
    },
  });
  const time = Number(process.env['SOURCE_DATE_EPOCH'] ?? 0);
  const image = await buildImage({ folder: 'dist', name: values.name, revision: values.revision, time });
  await writeFile(values.output, image.archive);
  console.log(`${values.output}: ${values.name}@${image.digest}`);
  console.log(`${mebibytes(image.compressed)} to pull, ${mebibytes(image.unpacked)} unpacked`);
}
