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
    // As the API server of a cluster itself does, which listens at another port than most.
    const subsets = [{ addresses: [{ ip: '192.0.2.1' }], ports: [{ name: 'https', port: 2040 }] }];
    const metadata = { name: 'kubernetes', namespace: 'default' };
    const endpoints = { apiVersion: 'v1', kind: 'Endpoints', metadata, subsets };
    const { status, stderr } = await installation.tryKubectl(
      ['apply', '--filename', '-'],
      JSON.stringify(endpoints),
    );
    expect(status, stderr).to.equal(0);
  });

  after(async () => {
    await installation?.close();
  });

  it('is told what Secret its account lacks', async () => {
    const notes = await installation.upgrade({ accounts: { default: installation.account() } });
    expect(notes).to.include('RegistryAccount default needs its credentials.');
    expect(notes).to.include('kubectl explain registryaccount.spec.ibmRegistryTokens\n');
    expect(notes).to.include(`kubectl --namespace ${NAMESPACE} create secret generic ibm-cloud `);
  });

  it('is asked where its API server listens, and the NetworkPolicy lets through', async () => {
    const policy = await installation.kubectl(
      `--namespace ${NAMESPACE} get networkpolicy ${RELEASE}-registry-token-operator --output jsonpath={.spec.egress[1].ports[*].port}`,
    );
    expect(policy).to.equal('443 2040');
  });

  for (const [name, values] of Object.entries(VALUE_SETS)) {
    it(`takes every object that it knows: ${name}`, async () => {
      const objects = (await helm.render(values)).filter(({ apiVersion }) => !UNKNOWN.test(apiVersion));
      const items = objects.map((object: Rendered) => ({
        ...object,
        // Dry runs of what is there already would tell how it differs.
        metadata: { ...object.metadata, name: `try-${object.metadata.name}` },
      }));
      const list = { apiVersion: 'v1', kind: 'List', items };
      const { status, stderr } = await installation.tryKubectl(
        ['create', '--dry-run=server', '--validate=true', '--filename', '-'],
        JSON.stringify(list),
      );
      expect(status, stderr).to.equal(0);
    });
  }
});
