import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path';
import { build as compile, type Plugin } from 'esbuild';
import { kubernetesClasses, packageManifest, REQUIRE } from '../bundle.ts';
import { bundledPackages, notices } from '../image/notices.ts';

export const PROGRAM = 'kubectl-registrytoken';

/** How the file is started: by the Node in PATH, or by that of the image, which has no env. */
export const SHEBANGS = { anywhere: '#!/usr/bin/env node', image: '#!/nodejs/bin/node' } as const;

/** The oldest Node that runs it. */
export const MIN_NODE = '22.19.0';

/** AWS's SDK only exchanges credentials for tokens, which the plugin never does: at ECR there is nothing else to ask. */
const withoutAws: Plugin = {
  name: 'without the AWS SDK',
  setup(build) {
    build.onResolve({ filter: /^@aws-sdk\// }, ({ path }) => ({ path, namespace: 'aws' }));
    build.onLoad({ filter: /./, namespace: 'aws' }, () => ({ contents: 'module.exports = {};' }));
  },
};

/**
 * Node links all static imports before it runs a line, and ends with a SyntaxError where one of its own modules lacks a name, as on a
 * Node that is too old. Required, they come after the check of the version.
 */
const requiredBuiltins: Plugin = {
  name: "Node's own modules are required",
  setup(build) {
    build.onResolve({ filter: /./ }, ({ path, kind }) =>
      kind === 'import-statement' && (path.startsWith('node:') || builtinModules.includes(path))
        ? { path, namespace: 'builtin' }
        : undefined,
    );
    build.onLoad({ filter: /./, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
    }));
  },
};

const [OLDEST_MAJOR, OLDEST_MINOR] = MIN_NODE.split('.');

/** The first that the program does; in the syntax of any Node that knows modules. */
const VERSION_CHECK = `{
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < ${OLDEST_MAJOR} || (major === ${OLDEST_MAJOR} && minor < ${OLDEST_MINOR})) {
    console.error('${PROGRAM} needs Node.js ${OLDEST_MAJOR}.${OLDEST_MINOR} or later; this is ' + process.versions.node);
    process.exit(1);
  }
}`;

/**
 * Writes the kubectl plugin as one executable file, readable as the operator's bundle is.
 * @returns folders of the packages in it, relative to the project's
 * @throws Error when it does not build
 */
export async function bundlePlugin(file: string, shebang: string): Promise<string[]> {
  await mkdir(dirname(file), { recursive: true });
  const { metafile } = await compile({
    entryPoints: ['src/cli/main.ts'],
    outfile: file,
    bundle: true,
    mainFields: ['module', 'main'],
    platform: 'node',
    target: 'node22',
    format: 'esm',
    banner: { js: [shebang, REQUIRE, VERSION_CHECK].join('\n') },
    // Optional to `debug`, and installed only because tests need it.
    external: ['supports-color'],
    metafile: true,
    logLevel: 'warning',
    plugins: [packageManifest, kubernetesClasses, withoutAws, requiredBuiltins],
  });
  await chmod(file, 0o755);
  return bundledPackages(metafile);
}

/** Adds the plugin to what the image is made of: the program in `<folder>/bin`, what its packages' licenses want in `<folder>/app`. */
export async function bundleForImage(folder: string): Promise<void> {
  const packages = await bundlePlugin(join(folder, 'bin', PROGRAM), SHEBANGS.image);
  await writeFile(join(folder, 'app', `THIRD-PARTY-NOTICES-${PROGRAM}.txt`), await notices(packages));
}
