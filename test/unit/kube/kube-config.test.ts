import { mkdir, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { expect } from 'chai';
import { loadKubeConfig } from '../../../src/kube/kubeconfig/kube-config.ts';
import { encode, useTransports } from './support/transports.ts';

const call = { method: 'GET', path: '/api/v1/pods' };

describe('the kubeconfig', () => {
  const { open, stage } = useTransports();
  /** Writes kubeconfig files for the server, the users in the last of them, and gives their paths. */
  async function write(user: object, files = ['config']): Promise<string> {
    const { server, authority, folder } = stage();
    const cluster = { server: server.url, 'certificate-authority-data': encode(authority.certificate) };
    const paths = files.map((name) => join(folder, name));
    for (const path of paths) {
      const last = path === paths.at(-1);
      const config = {
        clusters: path === paths[0] ? [{ name: 'c', cluster }] : [],
        users: last ? [{ name: 'u', user }] : [],
        contexts: last ? [{ name: 'x', context: { cluster: 'c', user: 'u' } }] : [],
        'current-context': 'x',
      };
      await writeFile(path, JSON.stringify(config));
    }
    return paths.join(delimiter);
  }
  const sent = (): unknown[] => stage().server.requests.map(({ headers }) => headers['authorization']);

  for (const files of [['config'], ['first', 'second']])
    it(`of ${files.length} file(s): a tokenFile comes before a token, and is read again`, async () => {
      const { clock, folder } = stage();
      const paths = await write({ token: 'fixed', tokenFile: 'token' }, files);
      await writeFile(join(folder, 'token'), 'one\n');
      const transport = open(loadKubeConfig(paths));
      await transport.request(call);
      await writeFile(join(folder, 'token'), 'two\n');
      await clock.advance(60_000);
      await transport.request(call);
      expect(sent()).to.deep.equal(['Bearer one', 'Bearer two']);
    });

  it('of several files takes the context, and whatever else they call the same, from the first', async () => {
    const { folder } = stage();
    const first = await write({ token: 'first' }, ['first']);
    const second = join(folder, 'second');
    const elsewhere = { name: 'c', cluster: { server: 'https://elsewhere.test' } };
    const users = [{ name: 'u', user: { token: 'second' } }];
    await writeFile(
      second,
      JSON.stringify({ clusters: [elsewhere], users, contexts: [], 'current-context': 'y' }),
    );
    await open(loadKubeConfig([first, second].join(delimiter))).request(call);
    expect(sent()).to.deep.equal(['Bearer first']);
  });

  it('with a token alone sends that', async () => {
    await open(loadKubeConfig(await write({ token: 'fixed' }))).request(call);
    expect(sent()).to.deep.equal(['Bearer fixed']);
  });

  describe('of which a part is chosen', () => {
    const file = async (): Promise<string> => {
      const path = join(stage().folder, 'choice');
      const cluster = (name: string) => ({ name, cluster: { server: `https://${name}.test` } });
      const users = ['anna', 'ben'].map((name) => ({ name, user: { token: `of-${name}` } }));
      const context = { cluster: 'one', user: 'anna', namespace: 'team-a' };
      const contexts = [
        { name: 'x', context },
        { name: 'y', context: { cluster: 'two', user: 'ben' } },
      ];
      const config = { clusters: ['one', 'two'].map(cluster), users, contexts, 'current-context': 'x' };
      await writeFile(path, JSON.stringify(config));
      return path;
    };
    for (const [what, choice, expected] of [
      ['nothing', {}, ['https://one.test', 'of-anna', 'team-a', undefined]],
      ['a context', { context: 'y' }, ['https://two.test', 'of-ben', undefined, undefined]],
      ['a cluster', { cluster: 'two' }, ['https://two.test', 'of-anna', 'team-a', undefined]],
      ['a user', { user: 'ben' }, ['https://one.test', 'of-ben', 'team-a', undefined]],
      ['whom to act as', { as: 'jane' }, ['https://one.test', 'of-anna', 'team-a', 'jane']],
      [
        'a user and whom that acts as',
        { user: 'ben', as: 'jane' },
        ['https://one.test', 'of-ben', 'team-a', 'jane'],
      ],
      [
        'all',
        { context: 'y', cluster: 'one', user: 'anna', as: 'jane' },
        ['https://one.test', 'of-anna', undefined, 'jane'],
      ],
    ] as const)
      it(`takes ${what} by that, and the rest from the context`, async () => {
        const config = loadKubeConfig(await file(), choice);
        const user = config.getCurrentUser();
        const { namespace } = config.getContextObject(config.getCurrentContext()) ?? {};
        const seen = [config.getCurrentCluster()?.server, user?.token, namespace, user?.impersonateUser];
        expect(seen).to.deep.equal(expected);
      });

    for (const [choice, message] of [
      [{ context: 'z' }, 'the kubeconfig has no context "z"'],
      [{ cluster: 'z' }, 'the kubeconfig has no cluster "z"'],
      [{ user: 'z' }, 'the kubeconfig has no user "z"'],
    ] as const)
      it(`is refused where ${message}`, async () => {
        const path = await file();
        expect(() => loadKubeConfig(path, choice)).to.throw(message);
      });
  });

  for (const [mistake, user] of [
    ['bad indentation', '  token: hush\n     password: hush'],
    ['a reserved character', '  token: @hush'],
    ['an open quotation', '  password: "hush'],
    ['two values', '  token: hush: hush'],
    ['an alias', '  token: *hush'],
    ['a tag', '  password: !hush'],
    ['the tag of a handle', '  password: !hush!hush'],
    ['a tokenFile that is a list', '  tokenFile: [hush]'],
    ['a users that is no list', '  hush'],
  ] as const)
    it(`with ${mistake} is refused without being quoted`, async () => {
      const path = join(stage().folder, 'broken');
      const users = mistake.startsWith('a users') ? 'users: hush' : `users:\n- name: u\n  user:\n  ${user}`;
      await writeFile(path, `current-context: x\n${users}\n`);
      expect(() => loadKubeConfig(path))
        .to.throw(/^cannot read the kubeconfig \/.*broken: .+; correct the file$/)
        .that.satisfies((error: Error) => !`${error.stack} ${String(error.cause)}`.includes('hush'));
    });

  it('that is not there is told', () => {
    const path = join(stage().folder, 'nowhere');
    expect(() => loadKubeConfig(path)).to.throw(
      `cannot read the kubeconfig ${path}: ENOENT; correct the file`,
    );
  });

  for (const command of ['./plugin.sh', 'plugins/plugin.sh'])
    it(`finds the exec plugin ${command} from its own folder, wherever the operator was started`, async () => {
      const file = join(stage().folder, command);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, `#!/bin/sh\necho '{"status":{"token":"granted"}}'\n`, { mode: 0o755 });
      await open(loadKubeConfig(await write({ exec: { command } }))).request(call);
      expect(sent()).to.deep.equal(['Bearer granted']);
    });

  it('looks an exec plugin without a separator up in PATH', async () => {
    const path = await write({ exec: { command: 'plugin.sh' } });
    await writeFile(join(stage().folder, 'plugin.sh'), '#!/bin/sh\n', { mode: 0o755 });
    expect(loadKubeConfig(path).getCurrentUser()?.exec).to.include({ command: 'plugin.sh' });
  });

  for (const provideClusterInfo of [false, true])
    it(`${provideClusterInfo ? 'tells' : 'does not tell'} an exec plugin of the cluster, as asked`, async () => {
      const { authority, server } = stage();
      const script = `const token = Buffer.from(process.env.KUBERNETES_EXEC_INFO).toString('hex') + process.env.OWN;
        console.log(JSON.stringify({ status: { token } }))`;
      const apiVersion = 'client.authentication.k8s.io/v1';
      const env = [{ name: 'OWN', value: '00' }];
      const command = { command: process.execPath, args: ['-e', script], env };
      const paths = await write({ exec: { ...command, apiVersion, provideClusterInfo } });
      await open(loadKubeConfig(paths)).request(call);
      const told = Buffer.from(String(sent()[0]).replace(/^Bearer (.*)00$/, '$1'), 'hex').toString();
      const cluster = {
        server: server.url,
        'certificate-authority-data': encode(authority.certificate),
      };
      expect(JSON.parse(told)).to.deep.equal({
        kind: 'ExecCredential',
        apiVersion,
        spec: { interactive: false, ...(provideClusterInfo && { cluster }) },
      });
    });
});
