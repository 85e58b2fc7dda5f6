import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../../scripts/bundle.ts';
import { readSettings } from '../../scripts/image/dockerfile.ts';

/**
 * Makes the bundle in a folder. @returns what begins it there as the image does, with its flags of Node.js; it may read the kubeconfigs of
 * `OperatorProcess` besides
 */
export async function imageCommand(folder: string): Promise<string[]> {
  await bundle(folder);
  const { entrypoint } = readSettings(await readFile('Dockerfile', 'utf8'), {
    VERSION: '',
    REVISION: '',
    CREATED: '',
  });
  const app = entrypoint.slice(1).map((flag) => flag.replace('/app/', `${folder}/app/`));
  const kubeconfigs = `--allow-fs-read=${join(tmpdir(), 'operator-*')}`;
  return [process.execPath, kubeconfigs, ...app];
}
