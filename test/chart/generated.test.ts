import { readdir, readFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { parse } from 'yaml';
import { CHART, describeHelm, find, objectsOf, type Rendered } from './support/helm.ts';

const ROOT = new URL('../../', import.meta.url);
const GENERATOR = fileURLToPath(new URL('scripts/generate-chart.ts', ROOT));
const definitions = await Promise.all(
  (await readdir(new URL('crds/', ROOT))).map(
    async (name) => parse(await readFile(new URL(`crds/${name}`, ROOT), 'utf8')) as Rendered,
  ),
);

describe('chart: what it takes from elsewhere', () => {
  it('is up to date: copies of the CRDs, schema of accounts and tokens, table of values', async () => {
    await promisify(execFile)(process.execPath, [GENERATOR, '--check']);
  });
});

describeHelm('chart: definitions', (helm) => {
  it('are those of the project, to the last field, for who installs it and for who upgrades them', async () => {
    const rendered = await helm.render({}, '--include-crds');
    const shown = objectsOf((await helm.run(['show', 'crds', CHART])).stdout);
    for (const definition of definitions)
      for (const objects of [rendered, shown])
        expect(find(objects, 'CustomResourceDefinition', definition.metadata.name)).to.deep.equal(definition);
  });
});
