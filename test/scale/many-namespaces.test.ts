import { expect } from 'chai';
import { CLUSTER_REGISTRY_TOKENS } from '../../src/api/resources.ts';
import { NAMESPACES } from '../../src/kube/client/resources.ts';
import { aClusterToken } from '../support/cluster-tokens.ts';
import { CALM } from '../simulation/climate.ts';
import { clusterTokenComplaints, clusterTokensOf } from '../simulation/cluster-token-audit.ts';
import { bothOf } from '../simulation/registries/registries.ts';
import { World } from '../simulation/world.ts';

const MANY = 1_000;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** As accounts have it unless they say otherwise. */
const REQUESTS_PER_SECOND = 5;
const NAME = 'everywhere';

/** A cluster in virtual time whose operator looks after ClusterRegistryTokens, and the namespaces of one. */
class Cluster {
  readonly world = new World({ seed: 1, climate: CALM, choice: bothOf('IBM registry tokens') });
  /** When tokens were issued, in monotonic milliseconds. */
  readonly issuedAt: number[] = [];
  /** Writes of the operator, by what they are of. */
  readonly writes = new Map<string, number>();

  async begin(): Promise<void> {
    const { world } = this;
    world.settings.clusterTokens = true;
    world.settings.sweep = 'off';
    world.registries.observers.push({
      issued: () => {
        if (typeof world.actor === 'object') this.issuedAt.push(world.clock.monotonic());
      },
      revoked: () => undefined,
      founded: () => undefined,
      exchanged: () => undefined,
    });
    world.server.store.subscribe(({ type, collection }) => {
      if (typeof world.actor !== 'object') return;
      const what = `${type} ${collection.replace('pullsecrets.dev/', '')}`;
      this.writes.set(what, (this.writes.get(what) ?? 0) + 1);
    });
    await world.begin();
    for (const name of this.names) await world.createNamespace(name, { pull: 'yes' });
  }

  readonly names = Array.from({ length: MANY }, (_, n) => `team-${String(n).padStart(4, '0')}`);

  async create(): Promise<void> {
    const { metadata: _, ...token } = aClusterToken({
      spec: {
        namespaceSelector: { matchLabels: { pull: 'yes' } },
        template: { spec: { access: 'ReadOnly' } },
      },
    });
    await this.world.user.create(CLUSTER_REGISTRY_TOKENS, { ...token, metadata: { name: NAME } });
  }

  async label(names: readonly string[], pull: string): Promise<void> {
    for (const name of names)
      await this.world.user.mergePatch(NAMESPACES, { name }, { metadata: { labels: { pull } } });
  }

  /** The namespaces that have a RegistryToken. */
  holders(): string[] {
    return this.world
      .tokens()
      .map(({ metadata }) => metadata.namespace ?? '')
      .sort();
  }

  /** Lets time pass until all that match are ready. */
  async settle(minutes: number): Promise<void> {
    for (let left = minutes; left > 0; left--) {
      await this.world.clock.advance(MINUTE);
      await new Promise((resolve) => setImmediate(resolve));
      const [parent] = clusterTokensOf(this.world);
      if (parent?.status?.reason === 'AllReady' && clusterTokenComplaints(this.world).length === 0) return;
    }
    const [complaint] = clusterTokenComplaints(this.world);
    throw new Error(`not settled: ${complaint}; ${JSON.stringify(clusterTokensOf(this.world)[0]?.status)}`);
  }

  /** Tokens that live at the registry, but for those of others. */
  alive(): number {
    const { registries, audit } = this.world;
    return registries.tokens().filter(({ id }) => !audit.others.has(id)).length;
  }
}

describe(`${MANY} namespaces of a ClusterRegistryToken`, function () {
  this.timeout(900_000);
  let cluster: Cluster;
  before(async () => {
    cluster = new Cluster();
    await cluster.begin();
  });
  after(() => {
    cluster.world.leader?.kill();
    cluster.world.server.close();
  });

  it('get a RegistryToken each by one write, and their tokens at the rate of the account', async () => {
    await cluster.create();
    await cluster.settle(30);
    expect(cluster.holders()).to.deep.equal(cluster.names);
    expect(cluster.issuedAt).to.have.length(MANY);
    // Requests take different times on their way.
    const tooFast = cluster.issuedAt.filter(
      (time, at) => time - (cluster.issuedAt[at - 10 * REQUESTS_PER_SECOND] ?? -Infinity) < 9 * SECOND,
    );
    expect(tooFast).to.deep.equal([]);
    expect(cluster.writes.get('ADDED registrytokens')).to.equal(MANY);
    const took = ((cluster.issuedAt.at(-1) ?? 0) - (cluster.issuedAt[0] ?? 0)) / SECOND;
    // The status is written every two seconds at the most.
    expect(cluster.writes.get('MODIFIED clusterregistrytokens')).to.be.below(took / 2 + 10);
  });

  it('cost nothing while nothing changes', async () => {
    cluster.writes.clear();
    await cluster.world.clock.advance(30 * MINUTE);
    expect([...cluster.writes]).to.deep.equal([]);
  });

  it('that cease to match lose theirs, those that are deleted too, and no other is touched', async () => {
    const [unlabelled, deleted] = [
      cluster.names.slice(0, MANY * 0.3),
      cluster.names.slice(MANY * 0.3, MANY * 0.5),
    ];
    await cluster.label(unlabelled, 'no');
    for (const name of deleted) await cluster.world.user.delete(NAMESPACES, { name });
    await cluster.settle(30);
    expect(cluster.holders()).to.deep.equal(cluster.names.slice(MANY * 0.5));
    expect(cluster.alive()).to.equal(MANY * 0.5);
    expect(cluster.writes.get('ADDED registrytokens')).to.equal(undefined);
    expect(cluster.issuedAt).to.have.length(MANY);
  });

  it('that match again, and new ones of the same names, get theirs back', async () => {
    await cluster.label(cluster.names.slice(0, MANY * 0.3), 'yes');
    for (const name of cluster.names.slice(MANY * 0.3, MANY * 0.5))
      await cluster.world.createNamespace(name, { pull: 'yes' });
    await cluster.settle(30);
    expect(cluster.holders()).to.deep.equal(cluster.names);
    expect(cluster.alive()).to.equal(MANY);
  });

  it('are free of it once it is deleted, and every token is revoked', async () => {
    await cluster.world.user.delete(CLUSTER_REGISTRY_TOKENS, { name: NAME });
    for (let left = 30; left > 0 && clusterTokensOf(cluster.world).length > 0; left--)
      await cluster.world.clock.advance(MINUTE);
    expect([clusterTokensOf(cluster.world), cluster.holders()]).to.deep.equal([[], []]);
    expect(cluster.alive()).to.equal(0);
    expect(cluster.world.audit.violations).to.deep.equal([]);
  });
});
