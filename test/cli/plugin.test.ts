/** The plugin as people have it: kubectl finds it in PATH, and it talks to the API server that the tests run on. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { RegistryToken } from '../../src/api/registry-token.ts';
import { readTag } from '../../src/token/sweep/tag.ts';
import { realAssets } from '../support/api-servers.ts';
import { OPERATOR_NAMESPACE, World } from '../support/world.ts';
import { InstalledPlugin, outcomeOf, type Outcome } from './support/installed-plugin.ts';

/** A machine that is busy starts each kubectl and each plugin late; milliseconds. */
const PATIENCE = 120_000;

describe('kubectl registrytoken', function () {
  this.timeout(PATIENCE);
  let world: World;
  let plugin: InstalledPlugin;
  let namespace: string;

  before(async () => {
    world = await World.start();
    world.startOperator({ mintBudget: 50 });
    plugin = await InstalledPlugin.install(world.apiServer.kubeconfig);
  });
  after(async () => {
    await plugin.uninstall();
    await world.close();
  });
  beforeEach(async () => {
    namespace = await world.createNamespace();
  });

  const done = async (outcome: Promise<Outcome>): Promise<string> => {
    const { exit, out, err } = await outcome;
    expect(exit, err).to.equal(0);
    return out;
  };
  const run = (...words: string[]): Promise<string> => done(plugin.run(...words, '-n', namespace));
  const create = (name: string, ...flags: string[]): Promise<string> =>
    run('create', name, '--wait', ...flags);
  const token = (name: string): Promise<RegistryToken> => world.token({ namespace, name });

  it('is a plugin that kubectl lists without a warning', async () => {
    const { out, err } = await plugin.kubectl('plugin', 'list');
    expect(out).to.include('/bin/kubectl-registrytoken');
    expect(err).to.not.include('warning');
  });

  it('creates a RegistryToken and waits for it', async () => {
    expect(await create('app-pull')).to.equal(
      'registrytoken.pullsecrets.dev/app-pull created\nregistrytoken.pullsecrets.dev/app-pull ready\n',
    );
    const { status } = await token('app-pull');
    expect(world.isAlive(status?.token?.id)).to.equal(true);
  });

  it('prints with --dry-run what kubectl apply takes', async () => {
    const text = await run(
      'create',
      'app-pull',
      '--read-write',
      '--description',
      'of CI',
      '--dry-run',
      '-o',
      'yaml',
    );
    expect(text).to.match(/^apiVersion: /);
    expect(await world.exists(token('app-pull'))).to.equal(false);
  });

  it('shows the table that kubectl get shows, in both widths', async () => {
    await create('app-pull');
    await create('a-second-one', '--read-write');
    await run('create', 'without-a-token', '--account', 'none');
    await world.whenReady({ namespace, name: 'without-a-token' }, { status: 'False' });
    for (const format of [[], ['-o', 'wide']]) {
      const own = await run('get', ...format);
      const kubectls = await done(plugin.kubectl('get', 'registrytokens', '-n', namespace, ...format));
      const withoutAges = (text: string): string => text.replaceAll(/\b\d+s$/gm, 'AGE');
      expect(withoutAges(own)).to.equal(withoutAges(kubectls));
    }
  });

  it('prints the JSON that kubectl get prints', async () => {
    await create('app-pull');
    const [own, kubectls] = await Promise.all([
      run('get', 'app-pull', '-o', 'json'),
      done(plugin.kubectl('get', 'registrytoken', 'app-pull', '-n', namespace, '-o', 'json')),
    ]);
    expect(JSON.parse(own)).to.deep.equal(JSON.parse(kubectls));
  });

  it('shows how it is: what the Secret holds, and what happened', async () => {
    await create('app-pull', '--service-account', 'default');
    const text = await world.eventually('the event is shown', async () => {
      const shown = await run('status', 'app-pull');
      return shown.includes('Normal Issued') ? { value: shown } : { seen: shown };
    });
    expect(text).to.match(new RegExp(`^RegistryToken ${namespace}/app-pull: Ready, Issued`));
    expect(text).to.match(
      /Secret app-pull: holds the token above\n│ {2}└─ host registry\.test:5000, user \w+\n/,
    );
    expect(text).to.include('Pods: none uses the Secret');
    expect(await run('why', 'app-pull')).to.equal(
      `RegistryToken ${namespace}/app-pull: nothing is in the way\n`,
    );
  });

  it('says why there is no token', async () => {
    await run('create', 'app-pull', '--account', 'none');
    await world.whenReady({ namespace, name: 'app-pull' }, { status: 'False', reason: 'AccountNotFound' });
    expect(await run('why', 'app-pull')).to.match(
      /\n\nAccountNotFound: There is no such RegistryAccount.*\n {2}Status: .*none/,
    );
    expect(
      await plugin.run('create', 'other', '--account', 'none', '-n', namespace, '--wait', '--timeout', '3s'),
    ).to.include({
      exit: 1,
    });
  });

  it('rotates, and waits for the next token', async () => {
    await create('app-pull');
    expect(await run('rotate', 'app-pull', '--wait')).to.match(
      /rotation requested\n.*app-pull rotated, revision 2\n$/,
    );
    expect((await token('app-pull')).status?.token?.revision).to.equal(2);
  });

  it('revokes what leaked, and leaves the grace period as it was', async () => {
    await create('app-pull');
    const leaked = (await token('app-pull')).status?.token?.id;
    await run('rotate', 'app-pull', '--revoke-now');
    expect(world.isAlive(leaked)).to.equal(false);
    const { spec, status } = await token('app-pull');
    expect(spec).to.not.have.nested.property('rotation.gracePeriod');
    expect(status?.token?.revision).to.equal(2);
  });

  it('rotates all of a namespace', async () => {
    await create('app-pull');
    await create('build');
    expect(await run('rotate', '--all', '--wait')).to.match(/(rotated, revision 2\n.*){2}$/);
  });

  it('rotates all tokens of an account', async () => {
    const account = world.uniqueName('account');
    await world.createAccount(account);
    await create('app-pull', '--account', account);
    expect(await run('rotate', '--account', account, '--wait')).to.match(/ 1 tokens rotated\n$/);
    expect((await token('app-pull')).status?.token?.revision).to.equal(2);
  });

  it('checks the Secret at the registry, and what it may do there', async () => {
    const account = world.uniqueName('account');
    await world.createAccount(account, world.registryAt({ host: world.registryHost }));
    await create('app-pull', '--account', account);
    expect(await run('check', 'app-pull')).to.match(/^HOST .*\n127\.0\.0\.1:\d+ .* accepted /);
    expect(await run('check', 'app-pull', '--repository', 'team-a/app')).to.match(
      / pull in team-a\/app +accepted /,
    );
    const push = await plugin.run(
      'check',
      'app-pull',
      '-n',
      namespace,
      '--repository',
      'team-a/app',
      '--push',
    );
    expect(push.exit).to.equal(1);
    expect(push.out).to.match(/ pull and push in team-a\/app +refused +.*does not give pull and push/);
    expect(push.err).to.match(/^error: 1 of 1 hosts did not accept the Secret\n/);
    await world.revokeAtRegistry((await token('app-pull')).status?.token?.id ?? '');
    expect((await plugin.run('check', 'app-pull', '-n', namespace)).out).to.match(/ refused /);
  });

  it('lists the tokens of an account at the registry, finds and revokes what nothing uses', async () => {
    await create('app-pull');
    const { metadata, status } = await token('app-pull');
    const id = status?.token?.id ?? '';
    const known = world.registry.tokens().find((each) => each.id === id)?.description ?? '';
    const clusterId = readTag(known)?.clusterId ?? '';
    const orphan = await world.issueAtRegistry({ clusterId, uid: 'uid-of-one-that-is-gone', revision: 1 });
    const stranger = await world.issueAtRegistry({
      clusterId: 'another-cluster',
      uid: metadata.uid,
      revision: 1,
    });
    const flags = ['--operator-namespace', OPERATOR_NAMESPACE];
    const listed = await done(plugin.run('tokens', ...flags));
    expect(listed).to.match(new RegExp(`^${id} +InUse +${namespace}/app-pull +1 `, 'm'));
    expect(listed).to.match(new RegExp(`^${stranger} +OtherCluster +another-cluster `, 'm'));
    expect(await done(plugin.run('orphans', ...flags, '-o', 'name'))).to.include(`${orphan}\n`);
    expect((await plugin.run('revoke', id, ...flags)).err).to.include(
      `is of RegistryToken ${namespace}/app-pull`,
    );
    expect((await plugin.run('revoke', stranger, ...flags)).exit).to.equal(1);
    expect(await done(plugin.run('revoke', orphan, ...flags))).to.equal(`token ${orphan} revoked\n`);
    expect([id, orphan, stranger].map((each) => world.isAlive(each))).to.deep.equal([true, false, true]);
    await done(plugin.run('revoke', stranger, ...flags, '--force'));
    expect(world.isAlive(stranger)).to.equal(false);
  });

  it('writes the docker configuration that it is asked for, and prints no credential', async () => {
    await create('app-pull');
    const file = join(plugin.folder, 'auth.json');
    expect(await run('login', 'app-pull', '--write', '--file', file)).to.equal(
      `${file}: logged in to registry.test:5000\n`,
    );
    const { auths } = JSON.parse(await readFile(file, 'utf8')) as { auths: Record<string, { auth: string }> };
    const value = Buffer.from(auths['registry.test:5000']?.auth ?? '', 'base64')
      .toString()
      .split(':')[1];
    expect(world.holds(value, (await token('app-pull')).status?.token?.id)).to.equal(true);
  });

  it('suspends and resumes', async () => {
    await create('app-pull');
    await run('suspend', 'app-pull');
    await world.whenReady({ namespace, name: 'app-pull' }, { reason: 'Suspended' });
    expect(await plugin.run('rotate', 'app-pull', '-n', namespace)).to.include({ exit: 1 });
    await run('resume', 'app-pull');
    await world.whenReady({ namespace, name: 'app-pull' }, { reason: 'Issued' });
  });

  it('is completed by kubectl: commands, and names from the cluster', async () => {
    await create('app-pull');
    expect(await done(plugin.kubectl('__complete', 'registrytoken', 'stat'))).to.equal('status\n:4\n');
    expect(await done(plugin.kubectl('__complete', 'registrytoken', 'status', '-n', namespace, ''))).to.equal(
      'app-pull\n:4\n',
    );
  });

  it('fails as kubectl does for what is not there', async () => {
    const [own, kubectls] = await Promise.all([
      plugin.run('get', 'none', '-n', namespace),
      plugin.kubectl('get', 'registrytoken', 'none', '-n', namespace),
    ]);
    expect(own.exit).to.equal(kubectls.exit);
    expect(own.err).to.equal(kubectls.err.replace('Error from server (NotFound): ', 'error: '));
  });

  it('ends with 130 on Ctrl-C', async () => {
    const child = plugin.start([
      'registrytoken',
      'create',
      'app-pull',
      '--account',
      'none',
      '-n',
      namespace,
      '--wait',
    ]);
    const outcome = outcomeOf(child);
    if (child.stderr) await once(child.stderr, 'data');
    child.kill('SIGINT');
    expect((await outcome).exit).to.equal(130);
  });

  it('whose output nobody reads says how to give back the grace period that rotate --revoke-now took', async () => {
    await create('app-pull');
    const { err } = await plugin.script(
      `kubectl registrytoken rotate app-pull -n ${namespace} --revoke-now | true`,
    );
    const { spec } = await token('app-pull');
    if (spec.rotation !== undefined)
      expect(err).to.include(`kubectl -n ${namespace} patch registrytoken app-pull --type=merge -p`);
  });

  if (realAssets !== undefined)
    it('says which right is missing, and shows what it may', async () => {
      await create('app-pull');
      expect((await plugin.run('status', 'app-pull', '-n', namespace, '--as', 'jane')).err).to.equal(
        `error: you may not get registrytokens.pullsecrets.dev in namespace ${namespace} (user jane)\nto do: ask a cluster administrator for a Role with verb get on registrytokens.pullsecrets.dev; check with: kubectl auth can-i get registrytokens.pullsecrets.dev --namespace ${namespace}\n`,
      );
      const kubectl = (...words: string[]): Promise<string> =>
        done(plugin.kubectl(...words, '-n', namespace));
      await kubectl('create', 'role', 'reader', '--verb=get', '--resource=registrytokens.pullsecrets.dev');
      await kubectl('create', 'rolebinding', 'jane', '--role=reader', '--user=jane');
      const text = await world.eventually('the right is in effect', async () => {
        const { exit, out, err } = await plugin.run('status', 'app-pull', '-n', namespace, '--as', 'jane');
        return exit === 0 ? { value: out } : { seen: err };
      });
      expect(text).to.include(
        `Secret app-pull: not shown, you may not get secrets in namespace ${namespace}`,
      );
      expect(text).to.include(`Pods: not shown, you may not list pods in namespace ${namespace}`);
    });
});
