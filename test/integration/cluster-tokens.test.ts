import { expect } from 'chai';
import type { ClusterRegistryToken } from '../../src/api/cluster-registry-token.ts';
import { findCondition } from '../../src/api/conditions.ts';
import { TEMPLATE_ANNOTATION } from '../../src/api/names.ts';
import { CLUSTER_REGISTRY_TOKENS } from '../../src/api/resources.ts';
import { KubeError } from '../../src/kube/client/errors.ts';
import { NAMESPACES } from '../../src/kube/client/resources.ts';
import { sharedWorld } from '../support/shared-world.ts';
import { minted } from '../support/tested-registry.ts';
import type { World } from '../support/world.ts';

describe('a ClusterRegistryToken', () => {
  let world: World;
  let name: string;
  let label: string;
  let team: string;
  before(async () => {
    world = await sharedWorld();
  });
  beforeEach(async () => {
    label = world.uniqueName('label');
    team = await world.createNamespace(undefined, { pull: label });
    name = await world.createClusterToken({
      namespaceSelector: { matchLabels: { pull: label } },
      template: { metadata: { labels: { from: 'template' } }, spec: { description: 'for all' } },
    });
  });
  afterEach(async () => {
    world.registry.faults.clear();
    await world.exists(world.client.delete(CLUSTER_REGISTRY_TOKENS, { name }));
    await whenGone();
  });

  const whenGone = (): Promise<boolean> =>
    world.eventually('it is gone', async () =>
      (await world.exists(world.clusterToken(name))) ? { seen: 'it is there' } : { value: true },
    );

  const whenStatus = (reason: string): Promise<ClusterRegistryToken> =>
    world.eventually(`its status is ${reason}`, async () => {
      const parent = await world.clusterToken(name);
      const { status, metadata } = parent;
      const current = status?.observedGeneration === metadata.generation && status?.reason === reason;
      return current ? { value: parent } : { seen: JSON.stringify(status ?? 'no status') };
    });

  it('gives each namespace that matches a RegistryToken, and takes it back where the namespace no longer does', async () => {
    const child = { namespace: team, name };
    const token = await world
      .eventually('the RegistryToken is there', async () =>
        (await world.exists(world.token(child))) ? { value: true } : { seen: 'it is not' },
      )
      .then(() => world.whenReady(child));
    expect(token.metadata.labels).to.deep.equal({ from: 'template' });
    expect(token.spec.description).to.equal('for all');
    expect(token.metadata.ownerReferences?.map(({ kind }) => kind)).to.deep.equal(['ClusterRegistryToken']);
    const { status } = await whenStatus('AllReady');
    expect(status?.namespaces).to.deep.equal({ matching: 1, ready: 1, failed: 0 });
    expect(findCondition(status?.conditions, 'Ready')?.status).to.equal('True');
    await world.client.mergePatch(NAMESPACES, { name: team }, { metadata: { labels: { pull: null } } });
    await world.whenGone(child);
    expect(world.tokensOf(token.metadata.uid)).to.deep.equal([]);
    await world.eventually('it counts none', async () => {
      const { namespaces } = (await world.clusterToken(name)).status ?? {};
      return namespaces?.matching === 0 ? { value: true } : { seen: JSON.stringify(namespaces) };
    });
  });

  it('puts right what people change, leaves what they add beside, and follows the template', async () => {
    await whenStatus('AllReady');
    const child = { namespace: team, name };
    await world.patchToken(child, {
      metadata: { labels: { from: 'somebody', more: 'stays' }, ownerReferences: null },
      spec: { suspend: true, description: 'mine' },
    });
    const mended = await world.eventually('it is as the template says', async () => {
      const token = await world.token(child);
      const { description, suspend } = token.spec;
      const done = description === 'for all' && suspend === false && token.metadata.ownerReferences;
      return done ? { value: token } : { seen: JSON.stringify(token) };
    });
    expect(mended.metadata.labels).to.deep.equal({ from: 'template', more: 'stays' });
    const template = { metadata: { labels: { from: null } }, spec: { description: 'for everybody' } };
    await world.client.mergePatch(CLUSTER_REGISTRY_TOKENS, { name }, { spec: { template } });
    await world.eventually('it follows the template', async () => {
      const { metadata, spec } = await world.token(child);
      const done = spec.description === 'for everybody' && !('from' in (metadata.labels ?? {}));
      return done ? { value: true } : { seen: JSON.stringify(metadata) };
    });
  });

  it('leaves a RegistryToken that was there before alone, and says so', async () => {
    const other = await world.createNamespace();
    const foreign = await world.createToken(other, { description: 'by hand' }, name);
    await world.client.mergePatch(NAMESPACES, { name: other }, { metadata: { labels: { pull: label } } });
    const { status } = await whenStatus('NamespacesFailed');
    expect(status?.namespaces).to.deep.include({ matching: 2, failed: 1 });
    expect(status?.failures?.map(({ namespace, reason }) => [namespace, reason])).to.deep.equal([
      [other, 'InTheWay'],
    ]);
    const { spec, metadata } = await world.token(foreign);
    expect(spec.description).to.equal('by hand');
    expect(metadata.annotations?.[TEMPLATE_ANNOTATION]).to.equal(undefined);
    await world.deleteToken(foreign);
    expect((await whenStatus('AllReady')).status?.namespaces).to.deep.equal({
      matching: 2,
      ready: 2,
      failed: 0,
    });
  });

  minted.it(
    'passes a rotation on, once, and takes tokens along when it is deleted while the registry is down',
    async () => {
      await whenStatus('AllReady');
      const child = { namespace: team, name };
      const annotations = { 'pullsecrets.dev/rotate': 'now' };
      await world.client.mergePatch(CLUSTER_REGISTRY_TOKENS, { name }, { metadata: { annotations } });
      const rotated = await world.eventually('it is rotated', async () => {
        const token = await world.token(child);
        return token.status?.lastHandledRotate === 'now'
          ? { value: token }
          : { seen: JSON.stringify(token.status) };
      });
      expect(rotated.status?.token?.revision).to.equal(2);
      world.registry.faults.add({ operation: 'revoke', kind: 'status', status: 503 });
      await world.client.delete(CLUSTER_REGISTRY_TOKENS, { name });
      await world.eventually('it tells how many are left, or is gone', async () => {
        const there = await world.exists(world.clusterToken(name));
        if (!there) return { value: true };
        const { status } = await world.clusterToken(name);
        return status?.reason === 'Deleting' ? { value: true } : { seen: JSON.stringify(status) };
      });
      await whenGone();
      expect(await world.exists(world.token(child))).to.equal(false);
    },
  );

  it('whose template can never work says what is wrong, and leaves the RegistryTokens as they are', async () => {
    await whenStatus('AllReady');
    const change = (labels: object): Promise<unknown> =>
      world.client.mergePatch(
        CLUSTER_REGISTRY_TOKENS,
        { name },
        { spec: { template: { metadata: { labels } } } },
      );
    await change({ 'no label': 'x' });
    const { status } = await whenStatus('InvalidSpec');
    const { message } = findCondition(status?.conditions, 'Stalled') ?? {};
    expect(message).to.equal(
      'spec.template.metadata.labels holds "no label=x", which can\'t be a label; write one such as team=a',
    );
    await world.whenReady({ namespace: team, name });
    await change({ 'no label': null });
    await whenStatus('AllReady');
  });

  const REFUSED: [string, object, string][] = [
    [
      'an operator without its values',
      { namespaceSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] }, template: {} },
      'operators In and NotIn take values, such as values: [team-a]',
    ],
    ['no selector', { template: {} }, 'spec.namespaceSelector'],
    [
      "a label of the operator's",
      { namespaceSelector: {}, template: { metadata: { labels: { 'pullsecrets.dev/x': 'y' } } } },
      'it takes no label that begins with pullsecrets.dev/',
    ],
    [
      'a rotation in the template',
      {
        namespaceSelector: {},
        template: { metadata: { annotations: { 'pullsecrets.dev/rotate': 'y' } } },
      },
      'on the ClusterRegistryToken itself, which passes it on',
    ],
    [
      'a spec that no RegistryToken takes',
      { namespaceSelector: {}, template: { spec: { lifetime: '1d' } } },
      'spec.template.spec.lifetime',
    ],
  ];
  for (const [what, spec, words] of REFUSED)
    it(`is refused by the API server with ${what}`, async () => {
      const error: unknown = await world
        .createClusterToken(spec as ClusterRegistryToken['spec'])
        .catch((each: unknown) => each);
      expect(error).to.be.instanceOf(KubeError);
      expect((error as KubeError).message).to.include(words);
    });
});
