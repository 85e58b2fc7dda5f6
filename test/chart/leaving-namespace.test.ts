import { expect } from 'chai';
import type { ObjectName } from '../../src/common/objects.ts';
import { KubeError } from '../../src/kube/client/errors.ts';
import { documented } from './support/documentation.ts';
import { describeHelm, NAMESPACE } from './support/helm.ts';
import { API_KEYS, Installation } from './support/installation.ts';

const STAYING: ObjectName = { namespace: 'team-a', name: 'app-pull' };
const LEFT: ObjectName = { namespace: 'team-b', name: 'app-pull' };

/** With the commands of docs/configuration.md, as they stand there. */
describeHelm(
  'chart: a namespace that is watched no more',
  (helm) => {
    let installation: Installation;

    before(async function () {
      this.timeout(180_000);
      installation = await Installation.onRealServer(this, helm);
      await installation.createNamespaces(NAMESPACE, 'team-a', 'team-b');
      await installation.setKey(API_KEYS[0]);
      await installation.upgrade({});
    });

    after(async () => {
      await installation?.close();
    });

    /** Has the operator look after the namespaces of these RegistryTokens only, and waits until they are Ready. */
    async function watch(...tokens: ObjectName[]): Promise<void> {
      const namespaces = tokens.map(({ namespace }) => namespace);
      const accounts = { default: installation.account() };
      const values = Object.fromEntries(tokens.map((token) => [token.namespace, token]));
      await installation.upgrade({ scope: { namespaces }, accounts, tokens: values });
      await installation.startOperator();
      for (const token of tokens) await installation.whenReady(token);
    }
    const run = async (command: RegExp): Promise<string> =>
      installation.shell(await documented('configuration.md', command));
    const whenGone = (what: string, look: () => Promise<unknown>): Promise<true> =>
      installation.eventually(`${what} is gone`, async () => {
        try {
          return { seen: JSON.stringify(await look()) };
        } catch (error) {
          if (error instanceof KubeError && error.isNotFound) return { value: true };
          throw error;
        }
      });

    it('leaves no token alive when its RegistryTokens are deleted first', async () => {
      await watch(STAYING, LEFT);
      const { revoked } = installation.counts;
      await run(/delete registrytokens --all$/);
      await whenGone('the RegistryToken', () => installation.token(LEFT));
      expect(installation.counts.revoked).to.equal(revoked + 1);
      await watch(STAYING);
    });

    it('lets go of RegistryTokens whose finalizer is taken away, but their tokens stay alive', async () => {
      await watch(STAYING, LEFT);
      const { status } = await installation.token(LEFT);
      await watch(STAYING);
      const { revoked } = installation.counts;
      expect(await run(/"finalizers":null/)).to.include(status?.token?.id);
      await whenGone('the RegistryToken', () => installation.token(LEFT));
      await whenGone('its Secret', () => installation.secret(LEFT));
      expect(installation.counts.revoked).to.equal(revoked);
    });
  },
  [4],
);
