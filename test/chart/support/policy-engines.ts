import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { atEnd } from '../../support/at-end.ts';
import { realAssets } from '../../support/api-servers.ts';
import { PolicyEvaluator, type PolicyEngine } from './admission-policy.ts';
import { EnforcingCluster } from './enforcing-cluster.ts';
import { describeHelm, RELEASE, type Helm } from './helm.ts';

/** Where the binaries are with which an API server enforces policies; undefined where there are none. */
const enforcing =
  realAssets !== undefined && existsSync(join(realAssets, 'apiextensions-apiserver'))
    ? realAssets
    : undefined;

let cluster: Promise<EnforcingCluster> | undefined;

/** The one cluster for all specifications of a run: starting it takes longer than they do. */
function enforcingCluster(assets: string): Promise<EnforcingCluster> {
  cluster ??= EnforcingCluster.start(assets).then((started) => {
    atEnd(() => started.close());
    return started;
  });
  return cluster;
}

/** Specifications of what only an API server shows. Not defined where there is none that enforces policies. */
export function describeEnforced(
  title: string,
  suite: (helm: Helm, cluster: () => EnforcingCluster) => void,
): void {
  if (enforcing === undefined) return;
  describeHelm(
    `${title}, on an API server`,
    (helm) => {
      let enforced: EnforcingCluster;
      before(async () => {
        enforced = await enforcingCluster(enforcing);
      });
      suite(helm, () => enforced);
    },
    [4],
  );
}

/** Specifications of what policies do: run with an evaluator, and on an API server where there is one. */
export function describePolicies(
  title: string,
  suite: (helm: Helm, engine: () => PolicyEngine) => void,
): void {
  const evaluator = new PolicyEvaluator();
  describeHelm(`${title}, evaluated`, (helm) => suite(helm, () => evaluator), [4]);
  describeEnforced(title, (helm, enforced) => {
    suite(helm, enforced);

    it('have no expression that fails', async () => {
      const failures = [...(await enforced().failures())];
      expect(failures.filter((name) => name.startsWith(`${RELEASE}-`))).to.deep.equal([]);
    });
  });
}
