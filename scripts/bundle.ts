/**
 * Makes the image's /app in dist/app: the operator in one file, the licenses of all that is in it, its bill of materials.
 * The bundle is not minified: stack traces stay readable without a source map, which would cost 80 MiB of memory once
 * loaded. The map lies beside it for debuggers. `npm run bundle`
 */
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build as compile, type Plugin } from 'esbuild';
import packageJson from '../package.json' with { type: 'json' };
import { billOfMaterials } from './image/bill-of-materials.ts';
import { bundledPackages, notices } from './image/notices.ts';

export interface Bundle {
  /** Folders of the packages that are in the bundle, relative to the project's. */
  packages: string[];
}

/** Dependencies in CommonJS call `require` for Node's own modules. */
const REQUIRE = [
  "import { createRequire } from 'node:module';",
  'const require = createRequire(import.meta.url);',
].join('\n');

/** Of package.json only what a running operator needs: a new test tool must not make a new image. */
const packageManifest: Plugin = {
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
 * Writes `<folder>/app` and `<folder>/main.mjs.map`; what was there before goes.
 * @throws Error when something does not build, or a bundled package names no license
 */
export async function bundle(folder: string): Promise<Bundle> {
  const app = join(folder, 'app');
  await rm(app, { recursive: true, force: true });
  await mkdir(app, { recursive: true });
  const { metafile, outputFiles } = await compile({
    entryPoints: ['src/main.ts'],
    outfile: join(app, 'main.mjs'),
    bundle: true,
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
    plugins: [packageManifest],
  });
  for (const { path, contents } of outputFiles) {
    await writeFile(path.endsWith('.map') ? join(folder, 'main.mjs.map') : path, contents);
  }
  const packages = bundledPackages(metafile);
  await copyFile('LICENSE', join(app, 'LICENSE'));
  await writeFile(join(app, 'THIRD-PARTY-NOTICES.txt'), await notices(packages));
  await writeFile(join(app, 'sbom.cdx.json'), await billOfMaterials(packageJson.name));
  return { packages };
}

if (import.meta.main) {
  const { packages } = await bundle('dist');
  console.log(`dist/app: the operator and ${packages.length} packages`);
}
