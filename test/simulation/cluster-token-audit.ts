import { clusterTokenFault, type ClusterRegistryToken } from '../../src/api/cluster-registry-token.ts';
import { GROUP } from '../../src/api/names.ts';
import type { RegistryToken } from '../../src/api/registry-token.ts';
import type { KubeObject } from '../../src/common/objects.ts';
import { isMatching } from '../../src/token/cluster-token/child-decision.ts';
import { isAsWanted, isChild, wantedChild } from '../../src/token/cluster-token/child.ts';
import { childState } from '../../src/token/cluster-token/summary.ts';
import type { Change } from '../../sandbox/apiserver/change.ts';
import type { World } from './world.ts';

export function clusterTokensOf({ server }: World): ClusterRegistryToken[] {
  return server.store.list(`${GROUP}/clusterregistrytokens`) as unknown as ClusterRegistryToken[];
}

const namespacesOf = ({ server }: World): KubeObject[] =>
  server.store.list('namespaces') as unknown as KubeObject[];

/** What a process does to a RegistryToken that it may not. */
export function foreignChange(world: World, { type, object, previous }: Change): string | undefined {
  const [token, before] = [object, previous] as unknown as [RegistryToken, RegistryToken | undefined];
  if (!before || type === 'DELETED' || typeof world.actor !== 'object' || isChild(before)) return undefined;
  const ownPart = ({ metadata, spec }: RegistryToken): string => {
    const { labels, annotations, ownerReferences, deletionTimestamp } = metadata;
    return JSON.stringify([labels, annotations, ownerReferences, deletionTimestamp, spec]);
  };
  return ownPart(token) === ownPart(before)
    ? undefined
    : `${world.actor.name} changed RegistryToken ${token.metadata.name}, which is somebody else's`;
}

/**
 * What is not as it has to be once all trouble is over: every namespace that matches has the RegistryToken, as the template says;
 * none other has it; and the status tells that.
 */
export function clusterTokenComplaints(world: World): string[] {
  const namespaces = namespacesOf(world);
  return [
    ...clusterTokensOf(world).flatMap((parent) => complaintsOf(world, parent, namespaces)),
    ...ownerless(world),
  ];
}

function complaintsOf(
  world: World,
  parent: ClusterRegistryToken,
  namespaces: readonly KubeObject[],
): string[] {
  const { name, deletionTimestamp, generation } = parent.metadata;
  if (deletionTimestamp !== undefined) return [`ClusterRegistryToken ${name} is still being deleted`];
  const fault = clusterTokenFault(parent);
  if (fault !== undefined) return [`ClusterRegistryToken ${name} can't be: ${fault}`];
  const complaints: string[] = [];
  const expect = (holds: boolean, what: string): void => {
    if (!holds) complaints.push(`ClusterRegistryToken ${name} ${what}`);
  };
  const tokens = world.tokens().filter(({ metadata }) => metadata.name === name);
  const matching = namespaces.filter((namespace) => isMatching(parent, namespace));
  let ready = 0;
  for (const { metadata } of matching) {
    const token = tokens.find((each) => each.metadata.namespace === metadata.name);
    expect(token !== undefined, `has no RegistryToken in ${metadata.name}`);
    if (!token || !isChild(token)) continue;
    expect(
      isAsWanted(token, wantedChild(parent)),
      `has a RegistryToken in ${metadata.name} that says otherwise`,
    );
    if (childState(token).state === 'ready') ready++;
  }
  const left = tokens.filter(
    (token) => isChild(token) && !matching.some(({ metadata }) => metadata.name === token.metadata.namespace),
  );
  expect(left.length === 0, `has RegistryTokens where no namespace matches: ${left.length}`);
  const { status } = parent;
  expect(status?.observedGeneration === generation, 'was not looked at since it changed');
  const foreign = matching.filter(({ metadata }) =>
    tokens.some((token) => token.metadata.namespace === metadata.name && !isChild(token)),
  ).length;
  const told = status?.namespaces;
  expect(
    told?.matching === matching.length && told.ready === ready,
    `miscounts: ${JSON.stringify(told)}, ready are ${ready}`,
  );
  expect((told?.failed ?? 0) >= foreign, 'does not tell what is in the way');
  return complaints;
}

/** RegistryTokens whose ClusterRegistryToken is gone, and that nobody collected. */
function ownerless(world: World): string[] {
  const uids = new Set(clusterTokensOf(world).map(({ metadata }) => metadata.uid));
  return world
    .tokens()
    .filter(({ metadata }) =>
      metadata.ownerReferences?.some(({ kind, uid }) => kind === 'ClusterRegistryToken' && !uids.has(uid)),
    )
    .map(
      ({ metadata }) =>
        `RegistryToken ${metadata.namespace}/${metadata.name} outlives its ClusterRegistryToken`,
    );
}
