import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { RegistryAccount } from '../../src/api/registry-account.ts';
import { REGISTRY_ACCOUNTS } from '../../src/api/resources.ts';
import type { ObjectName } from '../../src/common/objects.ts';
import {
  CHART,
  describeHelm,
  NAMESPACE,
  RELEASE,
  withImage,
  type Outcome,
  type Values,
} from './support/helm.ts';
import { API_KEYS, Installation } from './support/installation.ts';

const CRDS = fileURLToPath(new URL('../../crds', import.meta.url));
const PULL: ObjectName = { namespace: 'team-a', name: 'pull' };
const DEFAULT: ObjectName = { name: 'default' };

/**
 * Helm 4 lets the API server merge, by fields and their owners. The CRDs are installed beforehand: the API server at hand is
 * too old for the rules in their schemas, and takes them from a client that does not look only.
 */
describeHelm(
  'chart: merged by the API server',
  (helm) => {
    let installation: Installation;
    let values: Values;

    before(async function () {
      this.timeout(60_000);
      installation = await Installation.onRealServer(this, helm);
      await installation.createNamespaces(NAMESPACE, 'team-a');
      await installation.setKey(API_KEYS[0]);
      await installation.kubectl(`apply --validate=false --filename ${CRDS}`);
      await installation.whenKindsServed();
      values = {
        accounts: { default: installation.account() },
        tokens: { pull: { ...PULL, spec: { access: 'ReadOnly' } } },
      };
    });

    after(async () => {
      await installation?.close();
    });

    const upgrade = (input: Values): Promise<Outcome> =>
      installation.tryHelm(
        ['upgrade', '--install', RELEASE, CHART, '--disable-openapi-validation'],
        withImage(input),
      );
    const manager = async (): Promise<(string | undefined)[]> => {
      const { metadata } = await installation.client.get<RegistryAccount>(REGISTRY_ACCOUNTS, DEFAULT);
      return (metadata.managedFields ?? []).map((entry) => entry.manager);
    };

    it('is installed, CRDs beforehand, and its token issued', async () => {
      const { status, stderr } = await upgrade(values);
      expect(status, stderr).to.equal(0);
      expect(await manager()).to.include('helm');
      await installation.startOperator();
      await installation.whenReady(PULL);
      expect(installation.counts.issued).to.equal(1);
    });

    it('is upgraded, and rotates', async () => {
      const { status, stderr } = await upgrade({
        ...values,
        rotation: { requestedAt: '2026-01-01T00:00:00Z' },
      });
      expect(status, stderr).to.equal(0);
      await installation.whenReady(PULL, ({ status: now }) => now?.token?.revision === 2);
    });

    it('refuses to change what somebody else wrote, and says who', async () => {
      const rotation = { requestedAt: '2026-01-02T00:00:00Z' };
      const patch = JSON.stringify({ spec: { rotation } });
      await installation.kubectl(`patch registryaccount default --type=merge --patch ${patch}`);
      const { status, stderr } = await upgrade({
        ...values,
        rotation: { requestedAt: '2026-01-03T00:00:00Z' },
      });
      expect(status).not.to.equal(0);
      expect(stderr).to.match(/conflict with "kubectl-patch".*\.spec\.rotation\.requestedAt/s);
    });
  },
  [4],
);
