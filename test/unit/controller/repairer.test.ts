import { expect } from 'chai';
import {
  CredentialFinder,
  type CredentialFinderOptions,
} from '../../../src/controller/token/credential-finder.ts';
import { Memory } from '../../../src/controller/token/memory.ts';
import type { Progress } from '../../../src/controller/token/progress.ts';
import { Repairer, type RepairerOptions } from '../../../src/controller/token/repairer.ts';
import { Redacted } from '../../../src/common/redacted.ts';
import { RegistryError } from '../../../src/registry/errors.ts';
import { dockerConfig, type Credential } from '../../../src/token/secret/secret.ts';
import { ABSENT, aCredential, aSituation, HOST, ISSUED, ours } from '../../support/builders.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { Logs } from '../kube/support/logs.ts';

const { token, spec, wanted } = aSituation();
const { uid } = token.metadata;
const DECISION = { action: 'write', reason: 'SecretOutdated', message: 'labels', held: undefined } as const;
const named = (value: string): Credential => aCredential({ value: new Redacted(value) });
const holding = (value: string, holds: string | undefined = 'token-1') =>
  ours({ holds, payload: new Redacted(dockerConfig([HOST], named(value))), current: false });

interface Stage {
  secret?: ReturnType<typeof ours>;
  /** Value that this process remembers. */
  remembered?: string;
  /** Value in the Secret of a former name. */
  former?: string;
  /** Value that the registry gives, `gone` where it has no such token; undefined: it can't be asked. */
  registry?: string;
  /** The write does not succeed. */
  contested?: boolean;
  /** The Secret is to be adopted, and the registry answers this to the token. */
  adopting?: 'accepted' | 'refused' | 'unknown';
}

async function repair(
  stage: Stage,
): Promise<{ wrote: string | undefined; result: Progress | string; asked: number }> {
  const { secret = ABSENT, remembered, former, registry, contested = false, adopting } = stage;
  const memory = new Memory();
  if (remembered !== undefined)
    memory.remember(uid, {
      id: 'token-1',
      username: 'token',
      value: new Redacted(remembered),
      expiresAt: null,
    });
  let wrote: string | undefined;
  let asked = 0;
  const failure = { reason: 'SecretContested', message: 'changed on its way', retryable: false } as const;
  const finding = {
    memory,
    formerSecrets: { credential: () => Promise.resolve(former === undefined ? undefined : named(former)) },
    minter: {
      readBack: () => {
        asked++;
        if (registry === undefined) return Promise.reject(new RegistryError('Unavailable', 'no answer'));
        return Promise.resolve(
          registry === 'gone' ? undefined : { id: 'token-1', ...named(registry), expiresAt: null },
        );
      },
    },
  } as unknown as CredentialFinderOptions;
  const options = {
    memory,
    credentials: new CredentialFinder(finding),
    secrets: {
      write: (_: unknown, __: string, { value }: Credential) => {
        wrote = value.reveal();
        return Promise.resolve(
          contested ? { failure, secret: ABSENT } : { secretRef: { name: 'app', uid: 'secret-uid' } },
        );
      },
    },
    verifier: { try: () => Promise.resolve({ answer: adopting, message: 'us.icr.io could not be asked' }) },
    events: { event: () => undefined },
    metrics: { repaired: () => undefined },
    logger: new Logs(),
    clock: new VirtualClock(ISSUED),
    random: () => 0,
  } as unknown as RepairerOptions;
  const status = token.status ?? {};
  const task = {
    token,
    status,
    spec,
    wanted,
    secret,
    tokenIsGone: false,
    stake: adopting ? ('adopted' as const) : ('nothing' as const),
  };
  const result = await new Repairer(options).repair(task, DECISION, new AbortController().signal);
  return { wrote, result, asked };
}

describe('a Secret is repaired', () => {
  it('with what stands intact in it, without the registry', async () => {
    expect(await repair({ secret: holding('held') })).to.include({ wrote: 'held', asked: 0 });
  });
  it('with what this process knows, which nobody can have written', async () => {
    expect(await repair({ secret: holding('forged'), remembered: 'known' })).to.include({
      wrote: 'known',
      asked: 0,
    });
  });
  it('with what stands in the one of the former name', async () => {
    expect(await repair({ former: 'former' })).to.include({ wrote: 'former', asked: 0 });
  });
  for (const [what, secret] of [
    ['is altered', ours({ holds: undefined })],
    ['holds another token', holding('another', 'token-9')],
    ['is not there', ABSENT],
  ] as const)
    it(`from the registry, where it ${what}`, async () => {
      expect(await repair({ secret, registry: 'read' })).to.include({
        wrote: 'read',
        asked: 1,
      });
    });
  it('by nothing where the registry has no such token any more', async () => {
    expect(await repair({ registry: 'gone' })).to.include({ wrote: undefined, result: 'token is gone' });
  });
  it('later, where only the registry could tell and can not be asked', async () => {
    const { wrote, result } = await repair({});
    expect(wrote).to.equal(undefined);
    expect(result).to.have.nested.property('outcome.failure.reason', 'RegistryUnavailable');
  });
  for (const adopting of ['refused', 'unknown'] as const)
    it(`not yet where it is to be adopted and the registry's answer to the token is ${adopting}`, async () => {
      const { wrote, result } = await repair({ remembered: 'known', adopting });
      expect(wrote).to.equal(undefined);
      const reason = adopting === 'refused' ? 'TokenRefused' : 'RegistryUnavailable';
      expect(result).to.have.nested.property('outcome.failure.reason', reason);
    });
  it('where it is to be adopted and the registry accepts the token', async () => {
    expect(await repair({ remembered: 'known', adopting: 'accepted' })).to.include({ wrote: 'known' });
  });
  it('in vain where it is changed on its way: that is told of the Secret as it is now', async () => {
    const { result } = await repair({ secret: holding('held'), contested: true });
    expect(result).to.have.nested.property('outcome.failure.reason', 'SecretContested');
    expect(result).to.include({ secretHolds: false });
  });
});
