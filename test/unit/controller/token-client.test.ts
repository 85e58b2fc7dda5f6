import { expect } from 'chai';
import { FINALIZER } from '../../../src/api/names.ts';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import { TokenClient } from '../../../src/controller/token/token-client.ts';
import { KubeClient } from '../../../src/kube/client/client.ts';
import { KubeError } from '../../../src/kube/client/errors.ts';
import type { Call } from '../../../src/kube/transport/transport.ts';
import { aToken } from '../../support/builders.ts';

const { signal } = new AbortController();
const PATH = '/apis/pullsecrets.dev/v1alpha1/namespaces/team/registrytokens/app';

/** A RegistryToken in that version. */
const version = (resourceVersion: string, finalizers: string[] = []): RegistryToken =>
  aToken({ metadata: { resourceVersion, finalizers } });

/** A client whose API server answers in turn. */
function clientWith(...answers: (RegistryToken | KubeError)[]): { tokens: TokenClient; calls: Call[] } {
  const calls: Call[] = [];
  const request = async (call: Call): Promise<unknown> => {
    calls.push(call);
    const answer = answers.shift();
    if (!answer || answer instanceof KubeError) throw answer ?? new Error('not expected');
    return answer;
  };
  const stream = (): never => expect.fail('nothing is watched');
  const transport = { request, stream, close: async () => undefined };
  return {
    tokens: new TokenClient(new KubeClient(transport, { fieldManager: 'test' }), () => undefined),
    calls,
  };
}

const finalizersOf = ({ body }: Call): unknown =>
  (body as { path: string; value: unknown }[]).find(({ path }) => path === '/metadata/finalizers')?.value;

describe('reading a RegistryToken', () => {
  it('gives what the API server has', async () => {
    const { tokens, calls } = clientWith(version('2'));
    expect(await tokens.read({ namespace: 'team', name: 'app' }, signal)).to.deep.equal(version('2'));
    expect(calls.map(({ method, path }) => [method, path])).to.deep.equal([['GET', PATH]]);
  });

  it('gives nothing once it is gone', async () => {
    const { tokens } = clientWith(new KubeError('gone', { status: 404 }));
    expect(await tokens.read({ namespace: 'team', name: 'app' }, signal)).to.equal(undefined);
  });

  it('fails when the API server does', async () => {
    const down = new KubeError('down', { status: 503 });
    const { tokens } = clientWith(down);
    const error: unknown = await tokens
      .read({ namespace: 'team', name: 'app' }, signal)
      .catch((e: unknown) => e);
    expect(error).to.equal(down);
  });
});

describe('writing a RegistryToken', () => {
  it('writes the status as a subresource, on the version it was made from', async () => {
    const { tokens, calls } = clientWith(version('2'));
    expect(await tokens.writeStatus(version('1'), { host: 'us.icr.io' }, signal)).to.deep.equal(version('2'));
    expect(calls).to.have.length(1);
    expect(calls[0]).to.include({ method: 'PATCH', path: `${PATH}/status` });
    expect(calls[0]?.body).to.deep.include({ op: 'add', path: '/metadata/resourceVersion', value: '1' });
    expect(calls[0]?.body).to.deep.include({ op: 'add', path: '/status', value: { host: 'us.icr.io' } });
  });

  it('adds its finalizer to those of others', async () => {
    const { tokens, calls } = clientWith(version('2'));
    await tokens.addFinalizer(version('1', ['example.com/other']), signal);
    expect(calls.map(finalizersOf)).to.deep.equal([['example.com/other', FINALIZER]]);
    expect(calls[0]).to.include({ path: PATH });
  });

  it('leaves a finalizer that is there', async () => {
    const { tokens, calls } = clientWith();
    const token = version('1', [FINALIZER]);
    expect(await tokens.addFinalizer(token, signal)).to.equal(token);
    expect(calls).to.deep.equal([]);
  });

  it('takes its finalizer off and no other', async () => {
    const { tokens, calls } = clientWith(version('2'));
    await tokens.removeFinalizer(version('1', ['example.com/other', FINALIZER]), signal);
    expect(calls.map(finalizersOf)).to.deep.equal([['example.com/other']]);
  });
});

describe('of what a watch saw and what was written, the fresher', () => {
  it('is what the watch saw as long as nothing was written', () => {
    const { tokens } = clientWith();
    expect(tokens.freshest(version('1')).metadata.resourceVersion).to.equal('1');
  });

  it('is the latest that was written while the watch shows any of those it replaced', async () => {
    const { tokens } = clientWith(version('2'), version('3'));
    const second = await tokens.addFinalizer(version('1'), signal);
    await tokens.writeStatus(second, {}, signal);
    expect(tokens.freshest(version('1')).metadata.resourceVersion).to.equal('3');
    expect(tokens.freshest(version('2')).metadata.resourceVersion).to.equal('3');
  });

  it('is what the watch saw once it shows another version, and nothing is kept then', async () => {
    const { tokens } = clientWith(version('2'));
    await tokens.writeStatus(version('1'), {}, signal);
    expect(tokens.freshest(version('4')).metadata.resourceVersion).to.equal('4');
    expect(tokens.freshest(version('1')).metadata.resourceVersion).to.equal('1');
  });

  it('is what the watch saw after it is forgotten', async () => {
    const { tokens } = clientWith(version('2'));
    await tokens.writeStatus(version('1'), {}, signal);
    tokens.forget(version('1').metadata.uid);
    expect(tokens.freshest(version('1')).metadata.resourceVersion).to.equal('1');
  });

  it('is not what a write that failed would have made', async () => {
    const { tokens } = clientWith(new KubeError('changed meanwhile', { status: 409 }));
    const error: unknown = await tokens.writeStatus(version('1'), {}, signal).catch((e: unknown) => e);
    expect(error).to.have.property('isConflict', true);
    expect(tokens.freshest(version('1')).metadata.resourceVersion).to.equal('1');
  });
});
