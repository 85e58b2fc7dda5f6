import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';

interface Manifest {
  name: string;
  version: string;
  license?: string;
  author?: string | { name: string };
}

const PACKAGE_FOLDER = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/;
const LEGAL_FILE = /^(licen[cs]e|copying|notice)/i;
const RULE = '-'.repeat(80);

/** Folders of the packages that a bundle took something from, sorted. */
export function bundledPackages({ outputs }: Metafile): string[] {
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs));
  const used = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path);
  return [...new Set(used.flatMap((path) => PACKAGE_FOLDER.exec(path)?.[0] ?? []))].sort();
}

/**
 * What the packages' licenses want to be passed on: for each its name, version, license and legal texts.
 * @throws Error for a package that does not say under which license it is
 */
export async function notices(folders: readonly string[]): Promise<string> {
  const entries = await Promise.all(folders.map(notice));
  return ['This program contains the following packages.\n', ...entries].join(`\n${RULE}\n\n`);
}

async function notice(folder: string): Promise<string> {
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;
  const { name, version, license, author } = manifest;
  if (license === undefined) throw new Error(`${folder}/package.json names no license; find out which it is`);
  const files = (await readdir(folder, { withFileTypes: true }))
    .filter((entry) => entry.isFile() && LEGAL_FILE.test(entry.name))
    .map((entry) => entry.name)
    .sort();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  const holder = typeof author === 'string' ? author : author?.name;
  const title = `${name} ${version}, license ${license}`;
  const origin = texts.length === 0 && holder !== undefined ? [`Copyright ${holder}`] : [];
  return [title, ...origin, ...texts.map((text) => text.replaceAll('\r\n', '\n').trim())].join('\n\n') + '\n';
}
