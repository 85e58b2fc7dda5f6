/** Writes what the kubectl plugin prints into its page; a unit test says when that is out of date. Part of `npm run generate`. */
import { readFile, writeFile } from 'node:fs/promises';
import { samplesText, withSamples } from '../test/unit/cli/support/samples.ts';

const PAGE = 'docs/kubectl-plugin.md';
await writeFile(PAGE, withSamples(await readFile(PAGE, 'utf8'), await samplesText()));
