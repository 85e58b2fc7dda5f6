import { expect } from 'chai';
import type { RegistryAccountStatus } from '../../../src/api/registry-account.ts';
import { changeAccountStatus, noteScopes } from '../../../src/controller/account/account-status.ts';
import { KubeClient } from '../../../src/kube/client/client.ts';
import { KubeError } from '../../../src/kube/client/errors.ts';
import type { Call } from '../../../src/kube/transport/transport.ts';
import { anAccount } from '../../support/builders.ts';

/** Changes the status of an account that has some tokens. @param refusals what the API server answers to a method, by status */
async function change(
  to: (status: RegistryAccountStatus) => RegistryAccountStatus,
  refusals: Record<string, number> = {},
  account = anAccount({ status: { tokens: 1 } }),
): Promise<{ calls: Call[]; error: unknown }> {
  const calls: Call[] = [];
  const request = (call: Call): Promise<unknown> => {
    calls.push(call);
    const status = refusals[call.method];
    return status === undefined ? Promise.resolve(account) : Promise.reject(new KubeError('no', { status }));
  };
  const transport = { request, stream: () => expect.fail('no watch'), close: () => Promise.resolve() };
  const client = new KubeClient(transport, { fieldManager: 'test' });
  const { signal } = new AbortController();
  const error: unknown = await changeAccountStatus(client, 'default', to, signal).catch(
    (each: unknown) => each,
  );
  return { calls, error };
}
const more = ({ tokens = 0 }: RegistryAccountStatus): RegistryAccountStatus => ({ tokens: tokens + 1 });
const methods = (calls: readonly Call[]): string[] => calls.map(({ method }) => method);

describe('a change of an account’s status', () => {
  it('is made to what is there now, unless that changes meanwhile', async () => {
    const { calls } = await change(more);
    expect(methods(calls)).to.deep.equal(['GET', 'PATCH']);
    expect(calls[1]?.path).to.match(/registryaccounts[/]default[/]status$/);
    expect(calls[1]?.body).to.deep.equal([
      { op: 'add', path: '/metadata/resourceVersion', value: '1' },
      { op: 'add', path: '/status', value: { tokens: 2 } },
    ]);
  });

  it('is made to an account that has none yet', async () => {
    const { calls } = await change(more, {}, anAccount());
    expect(calls[1]?.body).to.deep.include({ op: 'add', path: '/status', value: { tokens: 1 } });
  });

  it('is not written where it changes nothing', async () => {
    const { calls } = await change((status) => ({ ...status }));
    expect(methods(calls)).to.deep.equal(['GET']);
  });

  const refused: [what: string, refusals: Record<string, number>, fails: boolean][] = [
    ['is not made to an account that is gone', { GET: 404 }, false],
    ['is not made to an account that goes meanwhile', { PATCH: 404 }, false],
    ['fails where the account can not be read', { GET: 503 }, true],
    ['fails where somebody else changes it at the same time', { PATCH: 409 }, true],
  ];
  for (const [what, refusals, fails] of refused)
    it(what, async () => {
      const { error } = await change(more, refusals);
      if (fails) expect(error).to.be.instanceOf(KubeError);
      else expect(error).to.equal(undefined);
    });
});

describe('scopes in which tokens may be left', () => {
  const { signal } = new AbortController();
  /** @returns those that the status is made to say; undefined: nothing is written */
  async function noted(scopes: string[] | undefined, found: string[]): Promise<string[] | undefined> {
    const account = anAccount({ status: { tokens: 1, ...(scopes && { scopes }) } });
    const calls: Call[] = [];
    const request = (call: Call): Promise<unknown> => Promise.resolve((calls.push(call), account));
    const transport = { request, stream: () => expect.fail('no watch'), close: () => Promise.resolve() };
    const client = new KubeClient(transport, { fieldManager: 'test' });
    await noteScopes(client, 'default', new Set(found), signal);
    const patch = calls.find(({ method }) => method === 'PATCH')?.body as
      { value: RegistryAccountStatus }[] | undefined;
    if (found.length === 0) expect(calls).to.deep.equal([]);
    if (patch) expect(patch[1]?.value).to.include({ tokens: 1 });
    return patch?.[1]?.value.scopes;
  }

  it('are written down beside those that are there, each once and in order', async () => {
    expect(await noted(undefined, ['b', ''])).to.deep.equal(['', 'b']);
    expect(await noted(['b', 'c'], ['a', 'c'])).to.deep.equal(['a', 'b', 'c']);
  });

  it('are not written where they are there, or there are none', async () => {
    expect(await noted(['a', 'b'], ['b'])).to.equal(undefined);
    expect(await noted(['a'], [])).to.equal(undefined);
  });

  it('never take the room of those that are there', async () => {
    const full = Array.from({ length: 1_000 }, (_, n) => `team-${String(n).padStart(4, '0')}`);
    expect(await noted(full, ['a'])).to.equal(undefined);
    expect(await noted(full.slice(1), ['a', 'b'])).to.deep.equal(['a', ...full.slice(1)]);
  });
});
