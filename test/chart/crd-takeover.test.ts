import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { parse } from 'yaml';
import { startEmbedded } from '../support/api-servers.ts';
import { documented } from './support/documentation.ts';
import { CHART, describeHelm, helms } from './support/helm.ts';
import { Installation } from './support/installation.ts';

interface Definition {
  metadata: { labels?: Record<string, string> };
  spec: { versions: { schema: { openAPIV3Schema: { description: string } } }[] };
}

const NAME = 'registry-token-operator';
const CRDS = fileURLToPath(new URL('../../crds', import.meta.url));
/** The commands of docs/upgrade.md, by how they end. */
const APPLY = /apply --server-side -f crds\/$/;
const APPLY_ANYWAY = /apply --server-side --force-conflicts -f crds\/$/;
const TAKE_OVER = /--take-ownership$/;
const TAKE_OVER_ANYWAY = /--take-ownership --force-conflicts$/;

const descriptionOf = (definition: Definition): string =>
  definition.spec.versions[0]?.schema.openAPIV3Schema.description ?? '';
const newest = parse(await readFile(`${CRDS}/pullsecrets.dev_registrytokens.yaml`, 'utf8')) as Definition;

/** Which helm made the release, which one upgrades it, and with which command it takes the CRDs over. */
const CASES: [madeBy: 3 | 4, major: 3 | 4, command: RegExp][] = [
  [4, 4, TAKE_OVER_ANYWAY],
  [3, 3, TAKE_OVER],
  [3, 4, TAKE_OVER],
];

for (const [madeBy, major, takeOver] of CASES)
  describeHelm(
    `chart: CRDs that change hands, in a release made by helm ${madeBy}`,
    (helm) => {
      let installation: Installation;

      /** Runs commands where the chart is, and CRDs that are older than its own. */
      const run = (commands: string): Promise<string> =>
        installation.shell(`cd ${installation.folder}\n${commands}`);
      const runDocumented = async (command: RegExp): Promise<string> =>
        run(await documented('upgrade.md', command));
      const definition = async (): Promise<Definition> =>
        JSON.parse(
          await installation.kubectl('get crd registrytokens.pullsecrets.dev --output json'),
        ) as Definition;

      before(async function () {
        const maker = helms.get(madeBy)?.helm;
        if (maker === undefined) this.skip();
        installation = await Installation.on(await startEmbedded(), helm);
        await installation.createNamespaces(NAME);
        await layOut(installation.folder);
        const values = '--set crds.enabled=false --set image.repository=registry.test/operator';
        await run(`${maker} install ${NAME} charts/${NAME} --namespace ${NAME} ${values}`);
        await runDocumented(APPLY);
        expect(descriptionOf(await definition())).to.equal('older');
      });

      after(async () => {
        await installation?.close();
      });

      if (takeOver === TAKE_OVER_ANYWAY)
        it('belong to who applied them, and are not taken over in passing', async () => {
          const refused = await runDocumented(TAKE_OVER).catch((error: Error) => error.message);
          expect(refused).to.match(/conflict with "kubectl": \.spec\.versions/);
          expect(descriptionOf(await definition())).to.equal('older');
        });

      it('are taken over by the command of the documentation, and upgraded from then on', async () => {
        await runDocumented(takeOver);
        const taken = await definition();
        expect(descriptionOf(taken)).to.equal(descriptionOf(newest));
        expect(taken.metadata.labels).to.include({ 'app.kubernetes.io/managed-by': 'Helm' });
        const file = `charts/${NAME}/files/crds/pullsecrets.dev_registrytokens.yaml`;
        await redescribe(join(installation.folder, file), 'newer');
        await run(`helm upgrade ${NAME} charts/${NAME} --namespace ${NAME} --reset-then-reuse-values`);
        expect(descriptionOf(await definition())).to.equal('newer');
      });

      it('are given back by the command of the documentation', async () => {
        const values = '--reset-then-reuse-values --set crds.enabled=false';
        await run(`helm upgrade ${NAME} charts/${NAME} --namespace ${NAME} ${values}`);
        expect(await runDocumented(APPLY).catch((error: Error) => error.message)).to.match(
          /conflict with "helm"/,
        );
        await runDocumented(APPLY_ANYWAY);
        expect(descriptionOf(await definition())).to.equal('older');
      });
    },
    [major],
  );

/** The chart without what this API server does not know, which is all but the CRDs; and older CRDs to apply. */
async function layOut(folder: string): Promise<void> {
  const chart = join(folder, 'charts', NAME);
  await cp(CHART, chart, { recursive: true });
  const templates = join(chart, 'templates');
  for (const name of await readdir(templates))
    if (!['_helpers.tpl', 'crds.yaml'].includes(name)) await rm(join(templates, name), { recursive: true });
  const crds = join(folder, 'crds');
  await cp(CRDS, crds, { recursive: true });
  for (const name of await readdir(crds)) await redescribe(join(crds, name), 'older');
}

async function redescribe(path: string, description: string): Promise<void> {
  const definition = parse(await readFile(path, 'utf8')) as Definition;
  for (const { schema } of definition.spec.versions) schema.openAPIV3Schema.description = description;
  await writeFile(path, JSON.stringify(definition));
}
