import { expect } from 'chai';
import { describeHelm, NAMESPACE, RELEASE, type Rendered } from './support/helm.ts';
import { Installation } from './support/installation.ts';
import { VALUE_SETS } from './support/value-sets.ts';

/** What an API server may lack: newer than it is, or the business of an operator that is not there. */
const UNKNOWN = /^(pullsecrets\.dev|monitoring\.coreos\.com|policy\/v1$|admissionregistration\.k8s\.io\/v1$)/;

describeHelm('chart: a cluster without the CRDs', (helm) => {
  let installation: Installation;

  before(async function () {
    this.timeout(60_000);
    installation = await Installation.onRealServer(this, helm);
    await installation.createNamespaces(NAMESPACE, 'team-a', 'team-b', '123', '1e5');
  });

  after(async () => {
    await installation?.close();
  });

  it('is told how to get its first account, and left as it was', async () => {
    const accounts = { default: installation.account() };
    const { status, stderr } = await installation.tryUpgrade({ accounts });
    expect(status).not.to.equal(0);
    expect(stderr).to.include('run this once with --set accounts=null --set tokens=null added');
    const release = await installation.tryHelm(['status', RELEASE]);
    expect(release.stderr).to.include('not found');
  });

  it('is told what Secret its account lacks', async () => {
    await installation.upgrade({});
    const notes = await installation.upgrade({ accounts: { default: installation.account() } });
    expect(notes).to.include('RegistryAccount default needs its credentials.');
    expect(notes).to.include('kubectl explain registryaccount.spec.ibmRegistryTokens\n');
    expect(notes).to.include(`kubectl --namespace ${NAMESPACE} create secret generic ibm-cloud `);
  });

  for (const [name, values] of Object.entries(VALUE_SETS)) {
    it(`takes every object that it knows: ${name}`, async () => {
      const objects = (await helm.render(values)).filter(({ apiVersion }) => !UNKNOWN.test(apiVersion));
      const items = objects.map((object: Rendered) => ({
        ...object,
        // Dry runs of what is there already would tell how it differs.
        metadata: { ...object.metadata, name: `try-${object.metadata.name}` },
      }));
      const list = {
        apiVersion: 'v1',
        kind: 'List',
        items: items.filter(({ kind }) => !kind.endsWith('Definition')),
      };
      const { status, stderr } = await installation.tryKubectl(
        ['create', '--dry-run=server', '--validate=true', '--filename', '-'],
        JSON.stringify(list),
      );
      expect(status, stderr).to.equal(0);
    });
  }
});
