/**
 * Makes the kubectl plugin in dist/plugin: the program alone, the folder of its npm package, the archive and the manifest for krew.
 * `npm run plugin [-- --homepage https://github.com/OWNER/NAME]`
 *
 * The time in the archive is SOURCE_DATE_EPOCH (seconds since 1970, default 0): the same sources give the same bytes.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import packageJson from '../package.json' with { type: 'json' };
import { notices } from './image/notices.ts';
import { tar } from './image/tar.ts';
import {
  archiveEntries,
  archiveName,
  krewManifest,
  pluginFiles,
  type PluginRelease,
} from './plugin/packages.ts';
import { bundleForImage, bundlePlugin, PROGRAM, SHEBANGS } from './plugin/program.ts';

/** The files that a release of the plugin publishes, in the folder that was given. */
export interface MadePlugin {
  archive: string;
  manifest: string;
  /** A folder for `npm pack` and `npm publish`. */
  package: string;
}

/** @param time of the files in the archive, seconds since 1970 */
export async function makePlugin(folder: string, release: PluginRelease, time: number): Promise<MadePlugin> {
  await rm(folder, { recursive: true, force: true });
  const program = join(folder, PROGRAM);
  const packages = await bundlePlugin(program, SHEBANGS.anywhere);
  const files = pluginFiles(release, {
    program: await readFile(program),
    license: await readFile('LICENSE'),
    notices: await notices(packages),
  });
  const made = {
    archive: join(folder, archiveName(release)),
    manifest: join(folder, 'registrytoken.yaml'),
    package: join(folder, 'package'),
  };
  await mkdir(made.package);
  for (const [name, { mode, content }] of Object.entries(files))
    await writeFile(join(made.package, name), content, { mode });
  const archive = gzipSync(tar(archiveEntries(files), time));
  await writeFile(made.archive, archive);
  await writeFile(made.manifest, krewManifest(release, archive));
  return made;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      homepage: { type: 'string', default: 'https://github.com/OWNER/registry-token-operator' },
      // The folder that `npm run bundle` has filled: the plugin is added as the image has it, and nothing else is made.
      image: { type: 'string' },
    },
  });
  if (values.image !== undefined) await bundleForImage(values.image);
  else {
    const release = { version: packageJson.version, homepage: values.homepage };
    const made = await makePlugin('dist/plugin', release, Number(process.env['SOURCE_DATE_EPOCH'] ?? 0));
    for (const [what, path] of Object.entries(made)) console.log(`${what}: ${path}`);
  }
}
