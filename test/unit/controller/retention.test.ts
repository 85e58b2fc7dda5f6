import { expect } from 'chai';
import { Retention } from '../../../src/controller/retention.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import type { Call } from '../../../src/kube/transport.ts';
import { anAccount, anIntent, anIssuedToken, aPrevious } from '../../support/builders.ts';

/** What the account's status is made to say. */
async function retainedAfter(token: Parameters<Retention['remember']>[0], id: string): Promise<unknown> {
  let written: unknown;
  const request = (call: Call): Promise<unknown> => {
    if (call.method === 'PATCH') written = (call.body as { path: string; value: unknown }[])[1]?.value;
    return Promise.resolve(anAccount());
  };
  const transport = {
    request,
    stream: () => expect.fail('nothing is watched'),
    close: () => Promise.resolve(),
  };
  const retention = new Retention(new KubeClient(transport, { fieldManager: 'test' }));
  await retention.remember(token, id, new AbortController().signal);
  return (written as { retainedTokens?: unknown } | undefined)?.retainedTokens;
}

const kept = (id: string, region = 'us-south'): object[] => [{ id, region, namespace: 'team', name: 'app' }];

describe('a token that outlives its RegistryToken', () => {
  it('is remembered where it was made: the one in force', async () => {
    expect(await retainedAfter(anIssuedToken(), 'token-1')).to.deep.equal(kept('token-1'));
  });
  it('is remembered when a mint left it in the Secret before the status named it', async () => {
    const token = anIssuedToken({ status: { mintIntent: anIntent({ region: 'eu-de' }) } });
    expect(await retainedAfter(token, 'token-2')).to.deep.equal(kept('token-2', 'eu-de'));
  });
  it('is remembered when it is only waiting to be revoked', async () => {
    const token = anIssuedToken({
      status: { previousTokens: [aPrevious({ id: 'token-0', region: 'eu-de' })] },
    });
    expect(await retainedAfter(token, 'token-0')).to.deep.equal(kept('token-0', 'eu-de'));
  });
});
