import { readdir, readFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { parse } from 'yaml';
import { describeHelm, find, type Helm, type Rendered } from './support/helm.ts';

const ROOT = new URL('../../', import.meta.url);
const GENERATOR = fileURLToPath(new URL('scripts/generate-chart.ts', ROOT));
const definitions = await Promise.all(
  (await readdir(new URL('crds/', ROOT))).map(
    async (name) => parse(await readFile(new URL(`crds/${name}`, ROOT), 'utf8')) as Rendered,
  ),
);

const policies = async (helm: Helm, crds: object): Promise<(string | undefined)[]> =>
  (await helm.render({ crds }))
    .filter(({ kind }) => kind === 'CustomResourceDefinition')
    .map(({ metadata }) => metadata.annotations?.['helm.sh/resource-policy']);

describe('chart: what it takes from elsewhere', () => {
  it('is up to date: copies of the CRDs, schema of accounts and tokens, table of values', async () => {
    await promisify(execFile)(process.execPath, [GENERATOR, '--check']);
  });
});

describeHelm('chart: definitions', (helm) => {
  it('are those of the project, to the last field', async () => {
    const objects = await helm.render();
    for (const definition of definitions) {
      const { metadata, ...rest } = find(objects, 'CustomResourceDefinition', definition.metadata.name);
      expect({ ...rest, metadata: { name: metadata.name } }).to.deep.equal(definition);
    }
  });

  it('stay when the release goes, unless told otherwise', async () => {
    expect(await policies(helm, {})).to.deep.equal(['keep', 'keep', 'keep']);
    expect(await policies(helm, { keep: false })).to.deep.equal([undefined, undefined, undefined]);
    expect(await policies(helm, { enabled: false })).to.deep.equal([]);
  });
});
