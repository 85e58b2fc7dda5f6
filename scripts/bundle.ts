/**
 * Makes the image's /app in dist/app: the operator in one file, what only some accounts need in others beside it, the licenses of
 * all that is in them, the bill of materials. The bundle is not minified: stack traces stay readable without a source map, which
 * would cost 80 MiB of memory once loaded. The maps lie beside it for debuggers. `npm run bundle`
 */
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { build as compile, type Metafile, type Plugin } from 'esbuild';
import packageJson from '../package.json' with { type: 'json' };
import { billOfMaterials } from './image/bill-of-materials.ts';
import { bundledPackages, notices } from './image/notices.ts';

export interface Bundle {
  /** Folders of the packages that are in the bundle, relative to the project's. */
  packages: string[];
  /** Those of them that are loaded when the operator starts. */
  packagesAtStart: string[];
  /** Bytes of code that is loaded when the operator starts, and of what can be later. */
  size: { atStart: number; later: number };
}

/** The file that the image starts. */
const MAIN = 'main.mjs';

/** Dependencies in CommonJS call `require` for Node's own modules. */
export const REQUIRE = [
  "import { createRequire } from 'node:module';",
  'const require = createRequire(import.meta.url);',
].join('\n');

/** Of package.json only what a running operator needs: a new test tool must not make a new image. */
export const packageManifest: Plugin = {
  name: 'package manifest',
  setup(build) {
    build.onLoad({ filter: /[\\/]package\.json$/ }, ({ path }) => {
      if (path !== join(process.cwd(), 'package.json')) return undefined;
      const { name, version } = packageJson;
      return { loader: 'json', contents: JSON.stringify({ name, version }) };
    });
  },
};

/**
 * Of client-node only the reading of kubeconfigs is used, but its index loads a class for every object and every API of Kubernetes, which
 * take 10 MiB of memory. In the bundle these are empty.
 */
export const kubernetesClasses: Plugin = {
  name: "client-node's classes",
  setup(build) {
    const filter = /[\\/]client-node[\\/]dist[\\/]gen[\\/](models|apis)[\\/]/;
    build.onLoad({ filter }, async ({ path }) => {
      // loadYaml asks it for the type of what it read, and gets none for a kubeconfig.
      if (basename(path) === 'ObjectSerializer.js') return undefined;
      const classes = (await readFile(path, 'utf8')).matchAll(/^export class (\w+)/gm);
      const contents = [...classes].map(([, name]) => `export class ${name} {}\n`).join('');
      return contents === '' ? undefined : { contents };
    });
  },
};

/**
 * Writes `<folder>/app` and `<folder>/maps`; what was there before goes.
 * @param main the module that the program begins with
 * @throws Error when something does not build, or a bundled package names no license
 */
export async function bundle(folder: string, main = 'src/main.ts'): Promise<Bundle> {
  const [app, maps] = [join(folder, 'app'), join(folder, 'maps')];
  for (const each of [app, maps]) {
    await rm(each, { recursive: true, force: true });
    await mkdir(each, { recursive: true });
  }
  const { metafile, outputFiles } = await compile({
    entryPoints: { main },
    outdir: app,
    bundle: true,
    // What is imported when it is first needed is a file of its own.
    splitting: true,
    outExtension: { '.js': '.mjs' },
    // Modules rather than CommonJS, where a package has both: what is not used of them is left out.
    mainFields: ['module', 'main'],
    platform: 'node',
    target: 'node24',
    format: 'esm',
    banner: { js: REQUIRE },
    sourcemap: 'external',
    sourcesContent: false,
    // Optional to `debug`, and installed only because tests need it.
    external: ['supports-color'],
    metafile: true,
    write: false,
    logLevel: 'warning',
    plugins: [packageManifest, kubernetesClasses],
  });
  for (const { path, contents } of outputFiles) {
    await writeFile(path.endsWith('.map') ? join(maps, basename(path)) : path, contents);
  }
  const { atStart, later } = loading(metafile);
  const packages = bundledPackages(metafile);
  await copyFile('LICENSE', join(app, 'LICENSE'));
  await writeFile(join(app, 'THIRD-PARTY-NOTICES.txt'), await notices(packages));
  await writeFile(join(app, 'sbom.cdx.json'), await billOfMaterials(packageJson.name));
  const sizeOf = ({ outputs }: Metafile): number =>
    Object.values(outputs).reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    packages,
    packagesAtStart: bundledPackages(atStart),
    size: { atStart: sizeOf(atStart), later: sizeOf(later) },
  };
}

/** What of a bundle is loaded when its main file is, and what can be later. */
function loading({ inputs, outputs }: Metafile): { atStart: Metafile; later: Metafile } {
  const code = Object.entries(outputs).filter(([path]) => !path.endsWith('.map'));
  const main = code.find(([path]) => basename(path) === MAIN)?.[0];
  const started = new Set(main === undefined ? [] : [main]);
  // A set goes on over what is added to it meanwhile.
  for (const path of started) {
    const imports = outputs[path]?.imports ?? [];
    for (const { kind, external, path: target } of imports)
      if (kind === 'import-statement' && !external) started.add(target);
  }
  const part = (isIn: boolean): Metafile => ({
    inputs,
    outputs: Object.fromEntries(code.filter(([path]) => started.has(path) === isIn)),
  });
  return { atStart: part(true), later: part(false) };
}

if (import.meta.main) {
  const { packages, size } = await bundle('dist');
  const [atStart, later] = [size.atStart, size.later].map((bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`);
  console.log(`dist/app: the operator and ${packages.length} packages; ${atStart} at start, ${later} later`);
}
