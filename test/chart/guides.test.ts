/** docs/: what pages have Helm, Argo CD and Flux do. */
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { parse } from 'yaml';
import { withConditions, type ConditionUpdate } from '../../src/api/conditions.ts';
import { blocksOf, objectsOf, pagesBelow, scriptOf } from '../support/pages.ts';
import { describeHelm, runProgram, type Values } from './support/helm.ts';
import { runLua } from './support/lua.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Files that commands read a credential from. */
const CREDENTIALS = ['apikey', 'password'];

/** The chart's values in an object of Flux or Argo CD. */
function valuesIn(object: object): Values | undefined {
  const { spec } = object as {
    spec?: { values?: Values; source?: { helm?: { valuesObject?: Values } } };
  };
  return spec?.values ?? spec?.source?.helm?.valuesObject;
}

/** The chart's values on a page: files of values, and what manifests hold. */
async function valuesOn(page: string): Promise<Values[]> {
  const files = (await blocksOf(page)).filter(({ text }) => text.startsWith('# values.yaml\n'));
  const manifests = (await objectsOf(page)).map(valuesIn).filter((values) => values !== undefined);
  return [...files.map(({ text }) => parse(text) as Values), ...manifests];
}

/** What follows `helm install` in the commands of a page that install the chart from this repository. */
async function installationsOn(page: string): Promise<string[]> {
  const commands = (await scriptOf(page)).matchAll(/^helm install ((?:.*\\\n)*.*)$/gm);
  return [...commands]
    .map(([, words = '']) => words.replaceAll('REGISTRY', 'registry.test'))
    .filter((words) => !words.includes('oci://'));
}

describeHelm(
  'chart: what pages of the documentation give it',
  (helm) => {
    let pages: string[];
    let folder: string;
    before(async () => {
      pages = await pagesBelow('**/*.md');
      folder = await mkdtemp(join(tmpdir(), 'guides-'));
      await symlink(join(ROOT, 'charts'), join(folder, 'charts'));
      for (const file of CREDENTIALS) await writeFile(join(folder, file), 'a-made-up-credential');
    });
    after(() => rm(folder, { recursive: true }));

    it('are values that it takes, in values files and in manifests of Argo CD and Flux', async () => {
      let found = 0;
      for (const page of pages)
        for (const values of await valuesOn(page)) {
          found++;
          const { status, stderr } = await helm.template(values);
          expect(status, `${page}: ${stderr}`).to.equal(0);
        }
      expect(found).to.be.at.least(4);
    });

    it('are flags that it takes, in commands that install it', async () => {
      let found = 0;
      for (const page of pages)
        for (const words of await installationsOn(page)) {
          found++;
          const script = `cd '${folder}'\n'${helm.tools.helm}' template ${words}`;
          const { status, stderr } = await runProgram('bash', ['-c', script]);
          expect(status, `${page}: ${stderr}`).to.equal(0);
        }
      expect(found).to.be.at.least(4);
    });
  },
  [4],
);

const NOW = '2026-01-01T00:00:00Z';
const READY: ConditionUpdate = { type: 'Ready', status: 'True', reason: 'Issued', message: 'all is well' };
const told = (
  type: 'Ready' | 'Reconciling' | 'Stalled',
  reason: ConditionUpdate['reason'],
): ConditionUpdate => ({
  type,
  status: type === 'Ready' ? 'False' : 'True',
  reason,
  message: `it is ${reason}`,
});

/** Titles, the conditions of an object, and its health. */
const HEALTH: [string, ConditionUpdate[], { status: string; message: string }][] = [
  ['a token', [READY], { status: 'Healthy', message: 'all is well' }],
  [
    'a token that lives while its rotation fails',
    [READY, told('Reconciling', 'RegistryUnavailable')],
    { status: 'Healthy', message: 'all is well' },
  ],
  [
    'no token yet',
    [told('Ready', 'AccountNotFound'), told('Reconciling', 'AccountNotFound')],
    { status: 'Progressing', message: 'it is AccountNotFound' },
  ],
  [
    'a spec that has to be changed',
    [told('Ready', 'InvalidSpec'), told('Stalled', 'InvalidSpec')],
    { status: 'Degraded', message: 'it is InvalidSpec' },
  ],
  [
    'an account without its credentials',
    [told('Ready', 'CredentialsNotFound')],
    { status: 'Degraded', message: 'it is CredentialsNotFound' },
  ],
  [
    'a token that is suspended',
    [{ ...READY, reason: 'Suspended' }],
    { status: 'Suspended', message: 'all is well' },
  ],
];

describe("docs/guides/gitops.md: Argo CD's health check", function () {
  // The interpreter may have to be fetched.
  this.timeout(60_000);
  const waiting = { status: 'Progressing', message: 'Waiting for the operator' };
  let script: string;
  before(async () => {
    const texts = (await blocksOf('guides/gitops.md')).map(({ text }) => text);
    const { data } = parse(texts.find((text) => text.includes('health.lua')) ?? expect.fail()) as {
      data: { 'resource.customizations': string };
    };
    const customizations = parse(data['resource.customizations']) as Record<string, { 'health.lua': string }>;
    script = customizations['pullsecrets.dev/*']?.['health.lua'] ?? expect.fail();
  });

  it('waits where the operator has not seen the object, or its latest change', async () => {
    const metadata = { generation: 2 };
    expect(await runLua(script, { metadata })).to.deep.equal(waiting);
    const seen = withConditions({ metadata: { generation: 1 } }, {}, [READY], NOW);
    expect(await runLua(script, { metadata, status: seen })).to.deep.equal(waiting);
  });

  for (const [title, updates, health] of HEALTH)
    it(`is ${health.status} for ${title}`, async () => {
      const object = { metadata: { generation: 1 } };
      const status = withConditions(object, {}, updates, NOW);
      expect(await runLua(script, { ...object, status })).to.deep.equal(health);
    });
});
