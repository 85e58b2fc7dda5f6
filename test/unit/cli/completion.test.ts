import { expect } from 'chai';
import { refusal } from '../../../src/kube/client/errors.ts';
import { CliStage, listOf } from './support/cli-stage.ts';

const named = (name: string) => ({
  metadata: { name, uid: name, resourceVersion: '1', creationTimestamp: '' },
});
const TOKENS = '/apis/pullsecrets.dev/v1alpha1/namespaces/team-a/registrytokens';

describe('completion', () => {
  const stage = (): CliStage =>
    new CliStage({
      'GET /api/v1/namespaces': listOf(named('team-a'), named('team-b')),
      [`GET ${TOKENS}`]: listOf(named('app-pull'), named('other')),
    });
  const complete = async (...words: string[]): Promise<string[]> => {
    const { exit, out } = await stage().run(['__complete', ...words]);
    expect(exit).to.equal(0);
    const lines = out.trimEnd().split('\n');
    expect(lines.at(-1), 'the last line tells kubectl that no file is meant').to.equal(':4');
    return lines.slice(0, -1);
  };

  it('of the first word gives commands', async () => {
    expect(await complete('')).to.include.members(['get', 'completion']);
    expect(await complete('comp')).to.deep.equal(['completion']);
  });

  it('of an argument gives names from the cluster', async () => {
    expect(await complete('get', '')).to.deep.equal(['app-pull', 'other']);
    expect(await complete('get', 'app')).to.deep.equal(['app-pull']);
    expect(await complete('get', 'app-pull', '')).to.deep.equal([]);
  });

  it('asks the cluster that the flags before say', async () => {
    const asked = stage();
    await asked.run(['__complete', '--context', 'c', 'get', '-n=team-a', '--user', 'u', '']);
    expect(asked.flags).to.deep.equal([{ context: 'c', namespace: 'team-a', user: 'u' }]);
  });

  it('of the value of a flag gives what that takes', async () => {
    expect(await complete('get', '-n', '')).to.deep.equal(['team-a', 'team-b']);
    expect(await complete('get', '-o', 'w')).to.deep.equal(['wide']);
    expect(await complete('get', '--context', '')).to.deep.equal([]);
    expect(await complete('completion', '')).to.include.members(['bash', 'zsh', 'fish', 'kubectl']);
  });

  it('of a dash gives the flags of the command', async () => {
    expect(await complete('get', '--')).to.include.members([
      '--output',
      '--all-namespaces',
      '--namespace',
      '--help',
    ]);
    expect(await complete('completion', '--o')).to.deep.equal([]);
  });

  it('gives nothing where the cluster refuses, or is nowhere', async () => {
    const refused = new CliStage({ [`GET ${TOKENS}`]: refusal({ method: 'GET', path: TOKENS }, 403, {}) });
    expect(await refused.run(['__complete', 'get', ''])).to.include({ exit: 0, out: ':4\n', err: '' });
    const connect = (): never => {
      throw new Error('no kubeconfig');
    };
    expect(await stage().run(['__complete', 'get', ''], { connect })).to.include({ exit: 0, out: ':4\n' });
  });

  for (const shell of ['bash', 'zsh', 'fish', 'kubectl'])
    it(`prints what asks the program in ${shell}`, async () => {
      const { exit, out } = await stage().run(['completion', shell]);
      expect(exit).to.equal(0);
      expect(out).to.include('kubectl-registrytoken __complete');
    });
});
