import { cp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { KubeObject } from '../../src/common/objects.ts';
import { startEmbedded } from '../support/api-servers.ts';
import { documented } from './support/documentation.ts';
import { CHART, describeHelm } from './support/helm.ts';
import { Installation } from './support/installation.ts';

const NAME = 'registry-token-operator';
const MARK = 'pullsecrets.dev/definition';
/** The commands of docs/upgrade.md, by how they begin. */
const UPGRADE = /^helm upgrade .* --wait$/s;
const CRDS_FIRST = /^helm show crds .* --force-conflicts -f -$/;
const VALUES = '--set image.repository=registry.test/operator';

describeHelm('chart: CRDs', (helm) => {
  let installation: Installation;

  before(async () => {
    installation = await Installation.on(await startEmbedded(), helm);
    await installation.createNamespaces(NAME);
    await layOut(join(installation.folder, 'charts', NAME));
  });

  after(async () => {
    await installation?.close();
  });

  /** Runs commands where the chart is. */
  const run = (commands: string): Promise<string> =>
    installation.shell(`cd ${installation.folder}\n${commands}`);
  const mark = async (): Promise<string | undefined> => {
    const text = await installation.kubectl('get crd registrytokens.pullsecrets.dev --output json');
    return (JSON.parse(text) as KubeObject).metadata.annotations?.[MARK];
  };

  it('are there before the first account, which is of the same release', async () => {
    await run(
      `helm install ${NAME} charts/${NAME} --namespace ${NAME} ${VALUES} --set-json 'accounts.default={"ibmCloud":{},"credentialsSecretRef":{"name":"a"}}'`,
    );
    expect(await installation.kubectl('get registryaccounts --output name')).to.include('/default');
    expect(await mark()).to.match(/^[0-9a-f]{16}$/);
  });

  it('of another release are told, with the command that upgrades them', async () => {
    const own = await mark();
    await installation.kubectl(
      `annotate crd registrytokens.pullsecrets.dev ${MARK}=0123456789abcdef --overwrite`,
    );
    const refused = await run(await documented('upgrade.md', UPGRADE)).catch((error: Error) => error.message);
    expect(refused).to.include("CRD registrytokens.pullsecrets.dev in this cluster is not this chart's");
    expect(refused).to.include('helm show crds CHART | kubectl apply --server-side --force-conflicts -f -');
    await run(await documented('upgrade.md', CRDS_FIRST));
    expect(await mark()).to.equal(own);
    await run(await documented('upgrade.md', UPGRADE));
  });

  it('of another release may be kept', async () => {
    await installation.kubectl(
      `annotate crd registrytokens.pullsecrets.dev ${MARK}=0123456789abcdef --overwrite`,
    );
    await run(`helm upgrade ${NAME} charts/${NAME} --namespace ${NAME} ${VALUES} --set crds.check=false`);
  });

  it('stay, with what they define, when the release goes', async () => {
    await run(`helm uninstall ${NAME} --namespace ${NAME}`);
    expect(await installation.kubectl('get registryaccounts --output name')).to.include('/default');
  });
});

/** The chart without what this API server does not know, which is all but the CRDs, accounts and tokens. */
async function layOut(chart: string): Promise<void> {
  await cp(CHART, chart, { recursive: true });
  const templates = join(chart, 'templates');
  for (const name of await readdir(templates))
    if (!/^(_helpers|_checks|accounts|tokens)\./.test(name))
      await rm(join(templates, name), { recursive: true });
  await writeFile(join(templates, 'checks.yaml'), '{{- include "rto.checks" . }}\n');
}
