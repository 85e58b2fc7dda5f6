import { expect } from 'chai';
import type { RegistryAccount } from '../../../src/api/registry-account.ts';
import { Retention } from '../../../src/controller/token/retention.ts';
import { KubeClient } from '../../../src/kube/client/client.ts';
import type { Call } from '../../../src/kube/transport/transport.ts';
import { Logs } from '../kube/support/logs.ts';
import { anAccount, anIssuedToken, aPrevious, aRecord, PLACE } from '../../support/builders.ts';

const { signal } = new AbortController();

/** What statuses of accounts are made to say, by name. */
async function statusesAfter(
  act: (retention: Retention) => Promise<void>,
  accounts: RegistryAccount[] = [anAccount()],
  watched = accounts,
): Promise<Record<string, unknown>> {
  const written: Record<string, unknown> = {};
  const request = (call: Call): Promise<unknown> => {
    const account = accounts.find(({ metadata }) => call.path.split('/').includes(metadata.name));
    if (call.method === 'PATCH' && account)
      written[account.metadata.name] = (call.body as { path: string; value: unknown }[])[1]?.value;
    return Promise.resolve(account);
  };
  const transport = {
    request,
    stream: () => expect.fail('nothing is watched'),
    close: () => Promise.resolve(),
  };
  const client = new KubeClient(transport, { fieldManager: 'test' });
  await act(new Retention(client, () => watched, new Logs()));
  return written;
}

type Kept = Parameters<Retention['remember']>[1];

/** The tokens that the account's status is made to keep. */
async function retainedAfter(record: Kept): Promise<unknown> {
  const written = await statusesAfter((retention) => retention.remember(anIssuedToken(), record, signal));
  return (written['default'] as { retainedTokens?: unknown } | undefined)?.retainedTokens;
}

const FORMER = { namespace: 'team', name: 'app' };
const { uid } = anIssuedToken().metadata;
const kept = (id: string, region = 'us-south'): object[] => [
  { id, region, place: PLACE, namespace: 'team', name: 'app', uid },
];

describe('a token that outlives its RegistryToken', () => {
  it('is remembered where it was made', async () => {
    expect(await retainedAfter(aRecord())).to.deep.equal(kept('token-1'));
    expect(await retainedAfter(aPrevious({ region: 'eu-de' }))).to.deep.equal(kept('token-0', 'eu-de'));
  });
  it('is remembered without a scope of several names, a thousand of which would fit no object', async () => {
    const [retained] = (await retainedAfter(aRecord({ scope: ['team-a', 'team-b'] }))) as object[];
    expect(retained).to.not.have.property('scope');
  });
  it('is remembered with its scope, by which it is found where scopes are listed apart', async () => {
    const [retained] = (await retainedAfter(aRecord({ scope: ['team-a'] }))) as object[];
    expect(retained).to.deep.include({ scope: ['team-a'] });
  });

  it('is remembered beside others, once', async () => {
    const retainedTokens = ['token-1', 'other'].flatMap((id) => kept(id)) as never;
    const remember = (retention: Retention) => retention.remember(anIssuedToken(), aRecord(), signal);
    const account = anAccount({
      status: { orphans: 3, retainedTokens: [...retainedTokens, ...retainedTokens] },
    });
    expect(await statusesAfter(remember, [account])).to.deep.equal({
      default: { orphans: 3, retainedTokens: ['other', 'other', 'token-1'].flatMap((id) => kept(id)) },
    });
  });

  it('is not remembered where that would push out another', async () => {
    const retainedTokens = Array.from({ length: 1_000 }, (_, n) => kept(`other-${n}`)).flat() as never;
    const remember = (retention: Retention) => retention.remember(anIssuedToken(), aRecord(), signal);
    const status = { orphans: 3, retainedTokens };
    expect(await statusesAfter(remember, [anAccount({ status })])).to.deep.equal({});
  });

  it('is no longer kept once its Secret is taken over, whichever account speaks of it; others are', async () => {
    const entries = (...ids: string[]) => ids.flatMap((id) => kept(id)) as never;
    const accounts = [
      anAccount({ metadata: { name: 'default' }, status: { orphans: 3, retainedTokens: entries('a', 'b') } }),
      anAccount({ metadata: { name: 'lab' }, status: { retainedTokens: entries('a') } }),
      anAccount({ metadata: { name: 'other' }, status: { retainedTokens: entries('c') } }),
    ];
    expect(
      await statusesAfter((retention) => retention.forget('a', FORMER, 'default', signal), accounts),
    ).to.deep.equal({
      default: { orphans: 3, retainedTokens: kept('b') },
      lab: {},
    });
  });
  it('is no longer kept where the watch has not heard of it yet', async () => {
    const account = anAccount({ status: { retainedTokens: kept('a') as never } });
    const forget = (retention: Retention) => retention.forget('a', FORMER, 'default', signal);
    expect(await statusesAfter(forget, [account], [anAccount()])).to.deep.equal({ default: {} });
  });
  it('is kept on where a Secret that names it was left by another RegistryToken', async () => {
    const account = anAccount({ status: { retainedTokens: kept('a') as never } });
    for (const former of [
      { namespace: 'intruder', name: 'app' },
      { namespace: 'team', name: 'another' },
    ]) {
      const forget = (retention: Retention) => retention.forget('a', former, 'default', signal);
      expect(await statusesAfter(forget, [account])).to.deep.equal({});
    }
  });
  it('that nobody knows is not looked for', async () => {
    expect(
      await statusesAfter((retention) => retention.forget(undefined, FORMER, 'default', signal)),
    ).to.deep.equal({});
  });
});
