import { chmod, mkdir, writeFile } from 'node:fs/promises';
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
    banner: { js: `${shebang}\n${REQUIRE}` },
    // Optional to `debug`, and installed only because tests need it.
    external: ['supports-color'],
    metafile: true,
    logLevel: 'warning',
    plugins: [packageManifest, kubernetesClasses, withoutAws],
  });
  await chmod(file, 0o755);
  return bundledPackages(metafile);
}

/** Adds the plugin to what the image is made of: the program in `<folder>/bin`, what its packages' licenses want in `<folder>/app`. */
export async function bundleForImage(folder: string): Promise<void> {
  const packages = await bundlePlugin(join(folder, 'bin', PROGRAM), SHEBANGS.image);
  await writeFile(join(folder, 'app', `THIRD-PARTY-NOTICES-${PROGRAM}.txt`), await notices(packages));
}
