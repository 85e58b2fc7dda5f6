import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { connect } from '../../../src/cli/cluster.ts';
import { systemClock } from '../../../src/common/clock.ts';

const kubeconfig = (namespace: string): string => `
clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]
users: [{name: u, user: {}}]
contexts: [{name: x, context: {cluster: c, user: u, namespace: '${namespace}'}}]
current-context: x
`;

describe('the namespace that the plugin works in', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'))));
  afterEach(() => rm(folder, { recursive: true }));

  for (const [flag, of, expected] of [
    ['team-a', 'team-b', 'team-a'],
    [undefined, 'team-b', 'team-b'],
    ['', 'team-b', 'team-b'],
    ['', '', 'default'],
  ] as const)
    it(`is ${expected} with ${flag === undefined ? 'no flag' : `the flag "${flag}"`} and "${of}" in the kubeconfig, never all`, async () => {
      const paths = join(folder, 'config');
      await writeFile(paths, kubeconfig(of));
      const cluster = connect({ namespace: flag }, { paths, clock: systemClock, version: '1' });
      expect(cluster.namespace).to.equal(expected);
      await cluster.close();
    });
});
