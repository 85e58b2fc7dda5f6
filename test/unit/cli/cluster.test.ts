import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { connect } from '../../../src/cli/cluster.ts';
import { systemClock as clock } from '../../../src/common/clock.ts';
import { NAMESPACES } from '../../../src/kube/client/resources.ts';

const kubeconfig = (namespace: string, server = 'http://127.0.0.1:1'): string => `
clusters: [{name: c, cluster: {server: '${server}'}}]
users: [{name: u, user: {}}]
contexts: [{name: x, context: {cluster: c, user: u, namespace: '${namespace}'}}]
current-context: x
`;

describe('the cluster that the plugin talks to', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'))));
  afterEach(() => rm(folder, { recursive: true }));

  for (const [flag, of, expected] of [
    ['team-a', 'team-b', 'team-a'],
    [undefined, 'team-b', 'team-b'],
    ['', 'team-b', 'team-b'],
    ['', '', 'default'],
  ] as const)
    it(`has the namespace ${expected} with ${flag === undefined ? 'no flag' : `the flag "${flag}"`} and "${of}" in the kubeconfig, never all`, async () => {
      const paths = join(folder, 'config');
      await writeFile(paths, kubeconfig(of));
      const cluster = connect(
        { namespace: flag },
        { paths, clock, version: '1', tell: () => expect.fail('it warns') },
      );
      expect(cluster.namespace).to.equal(expected);
      await cluster.close();
    });

  it('warns as kubectl does: each warning of an answer once, without what would steer the terminal', async () => {
    const server = createServer((_, response) =>
      response
        .appendHeader('warning', [
          '299 - "rotateEvery \\"30d\\" is ignored"',
          '299 - "gr\u00c3\u00bcn\u00c2\u009b2J"',
        ])
        .end(Buffer.from('{"metadata":{}}')),
    );
    await once(server.listen(0, '127.0.0.1'), 'listening');
    try {
      const paths = join(folder, 'config');
      await writeFile(paths, kubeconfig('', `http://127.0.0.1:${(server.address() as AddressInfo).port}`));
      const lines: string[] = [];
      const cluster = connect({}, { paths, clock, version: '1', tell: (line) => lines.push(line) });
      for (const name of ['a', 'b']) await cluster.client.get(NAMESPACES, { name });
      await cluster.close();
      expect(lines).to.deep.equal(['Warning: rotateEvery "30d" is ignored\n', 'Warning: grün 2J\n']);
    } finally {
      server.close();
    }
  });
});
