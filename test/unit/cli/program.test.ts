import { Option } from 'commander';
import { expect } from 'chai';
import type { Command } from '../../../src/cli/command.ts';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { CommandFailure } from '../../../src/cli/failure.ts';
import { KubeError, refusal } from '../../../src/kube/client/errors.ts';
import type { Call } from '../../../src/kube/transport/transport.ts';
import { CliStage, forbidden, listOf } from './support/cli-stage.ts';

const TOKENS = '/apis/pullsecrets.dev/v1alpha1/namespaces/team-a/registrytokens';
const token = (name: string) => ({
  metadata: {
    name,
    namespace: 'team-a',
    uid: name,
    resourceVersion: '1',
    creationTimestamp: '2026-11-30T10:00:00Z',
  },
  spec: {},
});

const failing = (error: Error): Command => ({
  name: 'fail',
  summary: 'Fail',
  examples: [],
  run: () => Promise.reject(error),
});

describe('the plugin', () => {
  it('without a command shows help that lists every command, and is done', async () => {
    const { exit, out } = await new CliStage().run([]);
    expect(exit).to.equal(0);
    for (const { name } of COMMANDS) expect(out).to.include(`\n  ${name} `);
  });

  for (const command of COMMANDS)
    it(`has help for ${command.name} with examples that begin with kubectl registrytoken ${command.name}`, async () => {
      const { exit, out } = await new CliStage().run([command.name, '--help']);
      expect(exit).to.equal(0);
      expect(command.examples).to.not.be.empty;
      for (const { to, run } of command.examples) {
        expect(out).to.include(`  # ${to}\n  ${run}\n`);
        expect(run).to.match(new RegExp(`kubectl registrytoken ${command.name}\\b`));
      }
    });

  it('has help for a command that says what it does, and more where there is more to say', async () => {
    const aCommand: Command = { name: 'do', summary: 'Do', examples: [], run: async () => undefined };
    for (const [command, text] of [
      [aCommand, 'Do'],
      [{ ...aCommand, about: 'It is done\nat once.' }, 'Do\n\nIt is done\nat once.'],
    ] as const) {
      const { out } = await new CliStage().run(['do', '--help'], { commands: [command] });
      expect(out).to.match(new RegExp(`^Usage: .*\n\n${text}\n\nOptions:\n`));
    }
  });

  it('sends no terminal escape of those who word an error', async () => {
    const commands = [failing(new CommandFailure('it says \u001b[2Jgone\nand more', 'try\u009b1m again'))];
    const { err } = await new CliStage().run(['fail'], { commands });
    expect(err).to.equal('error: it says  [2Jgone\nand more\nto do: try 1m again\n');
  });

  for (const command of ['get', 'status', 'rotate'])
    it(`does not guess which namespace is meant with ${command} NAME -A`, async () => {
      const stage = new CliStage();
      const { exit, err } = await stage.run([command, 'app-pull', '-A']);
      expect({ exit, calls: stage.calls.length }).to.deep.equal({ exit: 1, calls: 0 });
      expect(err).to.match(/^error: which app-pull of all namespaces is meant is not said\n/);
    });

  it('says its version', async () => {
    expect(await new CliStage().run(['--version'])).to.include({ exit: 0, out: '1.2.3\n' });
  });

  for (const argv of [['stat'], ['get', '--wrong'], ['get', '-o', 'xml'], ['get', 'a', 'b']])
    it(`fails on ${argv.join(' ')}, and says where help is`, async () => {
      const { exit, out, err } = await new CliStage().run(argv);
      expect({ exit, out }).to.deep.equal({ exit: 1, out: '' });
      expect(err).to.match(/^error: .*\n(.*\n)*See kubectl registrytoken .*--help\.\n$/);
    });

  it('takes flags of kubectl before and behind the command', async () => {
    for (const argv of [
      ['-n', 'team-b', '--context', 'c', 'get'],
      ['get', '-n', 'team-b', '--context=c'],
    ]) {
      const stage = new CliStage({
        [`GET ${TOKENS.replace('team-a', 'team-b')}`]: { columnDefinitions: [], rows: null },
      });
      const { exit, err } = await stage.run(argv);
      expect({ exit, err }).to.deep.equal({ exit: 0, err: 'No RegistryTokens found in namespace team-b.\n' });
      expect(stage.flags[0]).to.include({ namespace: 'team-b', context: 'c' });
    }
  });

  it('gives a command its own options and arguments', async () => {
    const seen: unknown[] = [];
    const command: Command = {
      name: 'do',
      summary: 'Do',
      arguments: [{ name: '[NAMES...]', about: 'names' }],
      options: [new Option('--now', 'now'), new Option('--by <who>', 'who')],
      examples: [],
      run: async ({ allNamespaces, format }, given) => void seen.push({ allNamespaces, format, ...given }),
      allNamespaces: true,
      formats: ['json', 'yaml'],
    };
    await new CliStage().run(['do', 'a', '-A', 'b', '--by', 'me', '-o', 'yaml'], { commands: [command] });
    expect(seen).to.have.lengthOf(1);
    expect(seen[0]).to.deep.include({ allNamespaces: true, format: 'yaml', args: ['a', 'b'] });
    expect(seen[0]).to.have.nested.include({ 'options.by': 'me' });
  });

  it('asks no cluster for what needs none', async () => {
    const stage = new CliStage();
    await stage.run(['completion', 'bash']);
    expect(stage.flags).to.deep.equal([]);
  });

  for (const [what, error, told] of [
    [
      'what a command says, with what to do',
      new CommandFailure('the token is suspended', 'resume it'),
      'error: the token is suspended\nto do: resume it\n',
    ],
    [
      'a right that is missing, with verb, resource and namespace',
      forbidden('list', TOKENS, 'registrytokens.pullsecrets.dev', 'team-a'),
      'error: you may not list registrytokens.pullsecrets.dev in namespace team-a (user jane)\nto do: ask a cluster administrator for a Role with verb list on registrytokens.pullsecrets.dev; check with: kubectl auth can-i list registrytokens.pullsecrets.dev --namespace team-a\n',
    ],
    [
      'a right that is missing in the whole cluster',
      forbidden('list', '/api/v1/pods', 'pods'),
      'error: you may not list pods in the whole cluster (user jane)\nto do: ask a cluster administrator for a ClusterRole with verb list on pods; check with: kubectl auth can-i list pods --all-namespaces\n',
    ],
    [
      'a cluster without the CRDs',
      refusal({ method: 'GET', path: TOKENS }, 404, {
        kind: 'Status',
        reason: 'NotFound',
        message: 'the server could not find the requested resource',
      }),
      'error: the cluster has no RegistryTokens\nto do: install registry-token-operator, or give another --context\n',
    ],
    [
      'a user whom the cluster does not know',
      refusal({ method: 'GET', path: TOKENS }, 401, {}),
      'error: the API server does not know who you are\nto do: log in to the cluster again\n',
    ],
    [
      'an API server that does not answer',
      new KubeError('GET /x: no usable answer from the API server (ECONNREFUSED)'),
      'error: GET /x: no usable answer from the API server (ECONNREFUSED)\nto do: check with: kubectl cluster-info, and give another --context or --kubeconfig\n',
    ],
  ] as const)
    it(`fails with ${what}`, async () => {
      const { exit, err } = await new CliStage().run(['fail'], { commands: [failing(error)] });
      expect({ exit, err }).to.deep.equal({ exit: 1, err: told });
    });

  it('ends with 130 and without a word on Ctrl-C', async () => {
    const stage = new CliStage();
    stage.stopping.abort(new Error('SIGINT'));
    expect(await stage.run(['get'])).to.deep.equal({ exit: 130, out: '', err: '' });
  });

  it('does not hide a mistake of its own behind a message', async () => {
    const run = new CliStage().run(['fail'], { commands: [failing(new TypeError('x is not a function'))] });
    await run.then(
      () => expect.fail('it ended well'),
      (error: unknown) => expect(error).to.be.an.instanceOf(TypeError),
    );
  });
});

describe('kubectl registrytoken get', () => {
  const tableOf = (...names: string[]) => ({
    columnDefinitions: [
      { name: 'Name', priority: 0 },
      { name: 'Ready', priority: 0 },
      { name: 'Host', priority: 1 },
      { name: 'Age', priority: 0 },
    ],
    rows: names.map((name) => ({ cells: [name, null, 'us.icr.io', '2h'], object: token(name) })),
  });
  const stage = (): CliStage => {
    const both = (call: Call): object =>
      call.accept?.includes('Table') ? tableOf('app-pull') : listOf(token('app-pull'));
    return new CliStage({
      [`GET ${TOKENS}`]: both,
      'GET /apis/pullsecrets.dev/v1alpha1/registrytokens': both,
      [`GET ${TOKENS}/app-pull`]: (call) =>
        call.accept?.includes('Table') ? tableOf('app-pull') : token('app-pull'),
    });
  };

  it('shows the table that the API server makes, with the wide columns and the namespace where they are asked for', async () => {
    expect((await stage().run(['get'])).out).to.equal('NAME       READY   AGE\napp-pull           2h\n');
    expect((await stage().run(['get', 'app-pull', '-o', 'wide'])).out).to.equal(
      'NAME       READY   HOST        AGE\napp-pull           us.icr.io   2h\n',
    );
    expect((await stage().run(['get', '-A'])).out).to.match(/^NAMESPACE {3}NAME .*\nteam-a {6}app-pull /);
  });

  it('of one name shows the object, not a list', async () => {
    const { out } = await stage().run(['get', 'app-pull', '-o', 'json']);
    expect(JSON.parse(out)).to.include({ kind: 'RegistryToken' });
    expect((await stage().run(['get', '-o', 'name'])).out).to.equal(
      'registrytoken.pullsecrets.dev/app-pull\n',
    );
  });

  it('of a name that is none fails as kubectl does', async () => {
    expect(await stage().run(['get', 'none'])).to.include({
      exit: 1,
      err: 'error: registrytokens.pullsecrets.dev "none" not found\n',
    });
  });
});
