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
import { versionOf } from '../../../src/token/secret/secret-view.ts';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import {
  ABSENT,
  aCredential,
  aKey,
  aSituation,
  aWanted,
  HOST,
  ISSUED,
  MINUTE,
  ours,
  type Part,
  PLACE,
} from '../../support/builders.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { Logs } from '../kube/support/logs.ts';

const wanted = aWanted({ host: 'named.example' });
const { uid } = aSituation().token.metadata;
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
  /** Value that the registry gives, or what `readBack` says in its place; undefined: it can't be asked. */
  registry?: string;
  /** The write does not succeed. */
  contested?: boolean;
  /** The Secret is to be adopted, and the registry answers this to the token. */
  adopting?: 'accepted' | 'refused' | 'unknown';
  decision?: Partial<Parameters<Repairer['repair']>[1]>;
  /** What the RegistryToken is besides. */
  part?: Part<RegistryToken>;
  memory?: Memory;
}

async function repair(stage: Stage): Promise<{
  wrote: string | undefined;
  host: string | undefined;
  result: Progress | string;
  asked: number;
  told: string[];
}> {
  const { secret = ABSENT, remembered, former, registry, contested = false, adopting } = stage;
  const { memory = new Memory(), decision = {}, part = {} } = stage;
  const { token, spec } = aSituation({ token: part });
  let host: string | undefined;
  const told: string[] = [];
  if (remembered !== undefined)
    memory.remember(
      uid,
      {
        id: 'token-1',
        username: 'token',
        value: new Redacted(remembered),
        expiresAt: null,
      },
      PLACE,
    );
  let wrote: string | undefined;
  let asked = 0;
  const failure = { reason: 'SecretContested', message: 'changed on its way', retryable: false } as const;
  const finding = {
    memory,
    formerSecrets: { credential: () => Promise.resolve(former === undefined ? undefined : named(former)) },
    tagged: {
      readBack: () => {
        asked++;
        if (registry === undefined) return Promise.reject(new RegistryError('Unavailable', 'no answer'));
        return Promise.resolve(
          registry === 'gone' || registry === 'withheld'
            ? registry
            : { id: 'token-1', ...named(registry), expiresAt: null },
        );
      },
    },
  } as unknown as CredentialFinderOptions;
  const options = {
    memory,
    credentials: new CredentialFinder(finding),
    secrets: {
      write: (_: unknown, at: string, { value }: Credential) => {
        wrote = value.reveal();
        host = at;
        return Promise.resolve(
          contested ? { failure, secret: ABSENT } : { secretRef: { name: 'app', uid: 'secret-uid' } },
        );
      },
    },
    verifier: {
      try: (_: unknown, at: string) => {
        told.push(`tried at ${at}`);
        return Promise.resolve({ answer: adopting, message: 'us.icr.io could not be asked' });
      },
    },
    events: { event: (_: unknown, type: string, reason: string) => void told.push(`${type} ${reason}`) },
    metrics: { repaired: (reason: string) => void told.push(`counted for ${reason}`) },
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
  const { signal } = new AbortController();
  const result = await new Repairer(options).repair(task, { ...DECISION, ...decision }, signal);
  return { wrote, host, result, asked, told };
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
    const memory = new Memory();
    const secret = holding('altered', 'another');
    const found = await repair({ registry: 'gone', secret, memory });
    expect(found).to.include({ wrote: undefined, result: 'token is gone' });
    expect(memory.isGone(uid, aKey())).to.equal(true);
  });
  it('by nothing where the registry gives no values back; one that lives is found again once the Secret changes', async () => {
    const memory = new Memory();
    const found = await repair({ registry: 'withheld', memory });
    expect(found).to.include({ wrote: undefined, result: 'token is gone' });
    expect(memory.isGone(uid, aKey()), 'gone from the registry').to.equal(false);
    const secret = holding('brought back');
    const isLost = [ABSENT, secret].map((each) => memory.isValueLost(uid, aKey(), versionOf(each)));
    expect(isLost).to.deep.equal([true, false]);
    expect(await repair({ registry: 'withheld', memory, secret })).to.include({ wrote: 'brought back' });
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
    const { wrote, host, told } = await repair({ remembered: 'known', adopting: 'accepted' });
    expect([wrote, host]).to.deep.equal(['known', wanted.host]);
    expect(told[0]).to.equal('tried at named.example');
  });
  it('in vain where it is changed on its way: that is told of the Secret as it is now', async () => {
    const { result } = await repair({ secret: holding('held'), contested: true });
    expect(result).to.have.nested.property('outcome.failure.reason', 'SecretContested');
    expect(result).to.include({ secretHolds: false });
  });

  it('with the host in force, whatever the account names by now', async () => {
    const { host, result } = await repair({ remembered: 'known' });
    expect(host).to.equal(HOST);
    expect(result).to.have.nested.property('status.host', HOST);
    expect(result).to.have.nested.property('status.secretRef.uid', 'secret-uid');
  });

  it('which ends its failures', async () => {
    const { result } = await repair({ remembered: 'known', part: { status: { failedAttempts: 3 } } });
    expect(result).to.not.have.nested.property('status.failedAttempts');
    expect(result).to.deep.include({ outcome: { kind: 'done' }, secretHolds: true });
  });

  it('while a rotation is held back, which stays so, with its failures', async () => {
    const until = ISSUED + MINUTE;
    const held = { action: 'hold', reason: 'RegistryUnavailable', message: 'down', until } as const;
    const part = { status: { failedAttempts: 3 } };
    const { wrote, result } = await repair({ remembered: 'known', decision: { held }, part });
    expect(wrote).to.equal('known');
    expect(result).to.deep.include({
      outcome: { kind: 'held', reason: 'RegistryUnavailable', message: 'down' },
      secretHolds: true,
      until,
    });
    expect(result).to.have.nested.property('status.failedAttempts', 3);
  });

  it('which is told and counted; the more often, the longer until the next', async () => {
    const memory = new Memory();
    const stage = { remembered: 'known', memory };
    expect((await repair(stage)).told).to.deep.equal(['counted for SecretOutdated', 'Normal Repaired']);
    for (let time = 0; time < 2; time++) await repair(stage);
    expect(memory.repairPause(uid, 0)).to.be.greaterThan(0);
  });

  const asked: [what: string, stage: Stage][] = [
    ['since it is taken over', { decision: { reason: 'SecretTakenOver' } }],
    ['since its spec has changed', { part: { metadata: { generation: 2 } } }],
  ];
  for (const [what, stage] of asked)
    it(`as people ask for, which is no repair to tell of: ${what}`, async () => {
      const { wrote, told } = await repair({ remembered: 'known', ...stage });
      expect([wrote, told]).to.deep.equal(['known', []]);
    });

  it('by nothing where no token was issued yet', async () => {
    const { wrote, result } = await repair({ remembered: 'known', part: { status: { token: undefined } } });
    expect([wrote, result]).to.deep.equal([undefined, 'token is gone']);
  });
});
