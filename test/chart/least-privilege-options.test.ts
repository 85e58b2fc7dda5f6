import { expect } from 'chai';
import { whenServed } from '../../sandbox/setup.ts';
import type { ClusterRegistryToken } from '../../src/api/cluster-registry-token.ts';
import { CLUSTER_REGISTRY_TOKENS } from '../../src/api/resources.ts';
import { NAMESPACES, PODS } from '../../src/kube/client/resources.ts';
import { describeHelm, NAMESPACE, type Values } from './support/helm.ts';
import { API_KEYS, HOST, Installation } from './support/installation.ts';
import { granted, type Permission } from './support/permissions.ts';
import { Rights } from './support/rights.ts';

const NAME = 'app-pull';
const TEAMS = ['team-a', 'team-b'];
const OPTIONS: Values = { operator: { clusterTokens: true, countPods: true } };

describeHelm(
  'chart: the operator under its own roles, with ClusterRegistryTokens and counts of pods',
  (helm) => {
    let installation: Installation;
    let rights: Rights;
    let base: Values;
    let withOptions: Permission[];
    let onlyWithOptions: Permission[];

    before(async function () {
      installation = await Installation.onRealServer(this, helm);
      rights = new Rights(installation.client);
      const without = granted(await helm.render(), []);
      withOptions = [...new Set(granted(await helm.render(OPTIONS), []))];
      onlyWithOptions = withOptions.filter((permission) => !without.includes(permission));
      await installation.createNamespaces(NAMESPACE, ...TEAMS, 'team-c');
      for (const name of TEAMS) await label(name, 'on');
      await installation.setKey(API_KEYS[0]);
      await installation.upgrade({});
      await whenServed(installation.client, CLUSTER_REGISTRY_TOKENS, new AbortController().signal);
      base = { accounts: { default: installation.account() } };
    });

    after(async () => {
      await installation?.close();
    });

    const label = async (name: string, pull: string | null): Promise<void> => {
      await installation.client.mergePatch(NAMESPACES, { name }, { metadata: { labels: { pull } } });
    };
    const child = (namespace: string) => ({ namespace, name: NAME });
    /** Names of the RegistryTokens and Secrets of the ClusterRegistryToken's name that there are. */
    const made = async (): Promise<string[]> => {
      const fields = 'custom-columns=:.metadata.namespace,:.kind,:.metadata.name';
      const all = await installation.kubectl(
        `get registrytokens,secrets --all-namespaces --no-headers --output ${fields}`,
      );
      const lines = all.split('\n').map((line) => line.trim().split(/\s+/));
      return lines.flatMap(([namespace, kind, name]) => (name === NAME ? `${namespace} ${kind}` : [])).sort();
    };
    const both = (...namespaces: string[]): string[] =>
      namespaces.flatMap((namespace) => [`${namespace} RegistryToken`, `${namespace} Secret`]);

    it('has none of the rights for them before they are switched on', async () => {
      expect(onlyWithOptions).to.have.length(10);
      expect(await rights.held(onlyWithOptions)).to.deep.equal([]);
    });

    it('may do everything that its roles say once they are', async () => {
      const namespaceSelector = { matchLabels: { pull: 'on' } };
      const template = { spec: { rotation: { gracePeriod: '0s' } } };
      const clusterTokens = { [NAME]: { namespaceSelector, template } };
      await installation.upgrade({ ...base, ...OPTIONS, clusterTokens });
      expect(await rights.held(withOptions)).to.deep.equal(withOptions);
    });

    it('gives each namespace that matches its RegistryToken and Secret, and says so', async () => {
      await installation.startOperator();
      const parent = await installation.eventually('all are ready', async () => {
        const { status, metadata } = await installation.client.get<ClusterRegistryToken>(
          CLUSTER_REGISTRY_TOKENS,
          { name: NAME },
        );
        return status?.reason === 'AllReady' && status.namespaces?.matching === TEAMS.length
          ? { value: { status, metadata } }
          : { seen: JSON.stringify(status ?? {}) };
      });
      expect(parent.status.namespaces).to.deep.equal({ matching: 2, ready: 2, failed: 0 });
      expect(parent.metadata.finalizers).to.have.length(1);
      for (const team of TEAMS) await installation.whenReady(child(team));
      expect(await made()).to.deep.equal(both(...TEAMS));
      expect(installation.counts.issued).to.equal(TEAMS.length);
    });

    it('puts a RegistryToken back that somebody deletes', async () => {
      const { uid } = (await installation.token(child('team-a'))).metadata;
      await installation.kubectl(`--namespace team-a delete registrytoken ${NAME} --timeout=20s`);
      await installation.eventually('there is a new one', async () =>
        (await made()).includes('team-a RegistryToken') ? { value: true } : { seen: 'nothing' },
      );
      const { metadata } = await installation.whenReady(child('team-a'));
      expect(metadata.uid).not.to.equal(uid);
    });

    it('counts the pods that use a Secret', async () => {
      await installation.client.create(PODS, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'app', namespace: 'team-a' },
        spec: {
          containers: [{ name: 'main', image: `${HOST}/team/app:1` }],
          imagePullSecrets: [{ name: NAME }],
        },
      });
      const { status } = await installation.whenReady(
        child('team-a'),
        (token) => token.status?.pods?.using === 1,
      );
      expect(status?.pods).to.deep.equal({ using: 1, waiting: 0 });
    });

    it('takes both from a namespace that no longer matches, and revokes its token', async () => {
      const { revoked } = installation.counts;
      await label('team-b', null);
      await installation.eventually('they are gone', async () => {
        const left = await made();
        return left.includes('team-b RegistryToken') ? { seen: left.join() } : { value: true };
      });
      expect(await made()).to.deep.equal(both('team-a'));
      expect(installation.counts.revoked - revoked).to.equal(1);
      expect(installation.service.tokens()).to.have.length(1);
    });

    it('lets go of a deleted ClusterRegistryToken when all that it made is gone', async () => {
      await installation.kubectl(`delete clusterregistrytoken ${NAME} --timeout=30s`);
      expect(await made()).to.deep.equal([]);
      expect(installation.service.tokens()).to.deep.equal([]);
    });

    it('was refused nothing that it asked for', async () => {
      expect(await installation.log()).not.to.match(
        /forbidden|cannot (get|list|watch|create|patch|delete|update)/i,
      );
    });

    it('has none of the rights for them when they are switched off again', async () => {
      await installation.upgrade(base);
      expect(await rights.held(onlyWithOptions)).to.deep.equal([]);
    });
  },
  [4],
);
