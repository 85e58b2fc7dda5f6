import { expect } from 'chai';
import { applyJsonPatch } from '../../../sandbox/apiserver/patch/json-patch.ts';
import type { Json, JsonObject } from '../../../sandbox/apiserver/json.ts';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import { fits } from '../../../src/api/syntax/pattern.ts';
import type { ObjectName, Resource } from '../../../src/common/objects.ts';
import { ServiceAccountLinker } from '../../../src/controller/service-accounts/service-account-linker.ts';
import { KubeError } from '../../../src/kube/client/errors.ts';
import type { JsonPatchOperation } from '../../../src/kube/client/json-patch.ts';
import {
  includesServiceAccount,
  recordText,
  type ServiceAccount,
} from '../../../src/token/workloads/service-accounts.ts';
import { aToken, at, SECOND } from '../../support/builders.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { Logs } from '../kube/support/logs.ts';

const signal = new AbortController().signal;

const claimant = (entries: string[], uid = '1'): RegistryToken =>
  aToken({
    metadata: { uid },
    spec: { serviceAccounts: entries },
    status: { serviceAccounts: entries, secretRef: { name: 'app', uid: 's' } },
  });

/** A namespace with ServiceAccounts, a linker that watches them without delay, and what it did. */
class Namespace {
  readonly clock = new VirtualClock();
  readonly events: string[] = [];
  readonly linker: ServiceAccountLinker;
  readonly accounts = new Map<string, ServiceAccount>();
  claimants: RegistryToken[] = [claimant(['*'])];
  reads = 0;
  /** When each write was asked for, in milliseconds from the start. */
  readonly writes: number[] = [];
  /** Names of those that may not be changed. */
  protected = (_name: string): boolean => false;
  problems = 0;

  constructor(names: string[]) {
    for (const name of names) this.put(name);
    const start = this.clock.monotonic();
    this.linker = new ServiceAccountLinker({
      client: {
        get: async (_: Resource, { name }: ObjectName) => {
          this.reads++;
          const account = this.accounts.get(name);
          if (!account) throw new KubeError(`no ServiceAccount ${name}`, { status: 404, reason: 'NotFound' });
          return structuredClone(account) as never;
        },
        jsonPatch: async (_: Resource, { name }: ObjectName, patch: readonly JsonPatchOperation[]) => {
          this.writes.push(this.clock.monotonic() - start);
          if (this.protected(name))
            throw new KubeError('PATCH: refused', { status: 403, reason: 'Forbidden' });
          const before = structuredClone(this.accounts.get(name)) as unknown as JsonObject;
          const after = applyJsonPatch(before, patch as unknown as Json[]);
          this.accounts.set(name, after as unknown as ServiceAccount);
          return after as never;
        },
      },
      serviceAccounts: {
        sees: () => true,
        get: ({ name }) => this.accounts.get(name),
        named: (_, entry) => [...this.accounts.values()].filter(({ metadata }) => fits(entry, metadata.name)),
      },
      claimants: ({ name }) =>
        this.claimants.filter(({ spec }) => includesServiceAccount(spec.serviceAccounts, name)),
      outlived: () => false,
      events: { event: (_, __, reason) => void this.events.push(reason) },
      logger: new Logs(),
      clock: this.clock,
      onProblem: () => void this.problems++,
      onLinked: () => undefined,
    });
  }

  put(name: string): void {
    this.accounts.set(name, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: {
        namespace: 'team',
        name,
        uid: `uid of ${name}`,
        resourceVersion: '1',
        creationTimestamp: at(0),
      },
    });
  }

  /** As four workers do. */
  async reconcileAll(): Promise<void> {
    const names = [...this.accounts.keys()].values();
    const work = async (): Promise<void> => {
      for (const name of names) await this.linker.reconcile({ namespace: 'team', name }, signal);
    };
    const done = Promise.all([work(), work(), work(), work()]);
    await this.clock.advance(600 * SECOND);
    await done;
  }

  get linked(): string[] {
    return [...this.accounts.values()].flatMap(({ metadata, imagePullSecrets = [] }) =>
      imagePullSecrets.some(({ name }) => name === 'app') ? [metadata.name] : [],
    );
  }
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, n) => `sa-${n}`);

describe('ServiceAccounts that a pattern stands for', () => {
  it('are all changed, fifty a second, and once', async () => {
    const namespace = new Namespace(numbered(1_000));
    await namespace.reconcileAll();
    expect(namespace.linked).to.have.length(1_000);
    for (const [index, time] of namespace.writes.entries())
      expect((namespace.writes[index + 100] ?? Infinity) - time).to.be.at.least(999);
    expect(namespace.writes.at(-1)).to.be.within(18_000, 21_000);
    const { reads } = namespace;
    await namespace.reconcileAll();
    expect([namespace.writes.length, namespace.reads]).to.deep.equal([1_000, reads]);
  });

  it('are told of in the log and not by events, which are limited; those that are named are', async () => {
    const namespace = new Namespace(['a', 'b', 'c']);
    namespace.claimants = [claimant(['*', 'b'])];
    await namespace.reconcileAll();
    expect([namespace.linked, namespace.events]).to.deep.equal([['a', 'b', 'c'], ['Linked']]);
  });

  it('that can’t be changed are told of by one, and whether there are more', async () => {
    const namespace = new Namespace(numbered(30));
    namespace.protected = (name) => name === 'sa-7';
    await namespace.reconcileAll();
    const said = (): string[] => namespace.linker.problems(namespace.claimants[0]!);
    expect(said()).to.deep.equal(['ServiceAccount sa-7 could not be changed: PATCH: refused']);
    namespace.claimants = [claimant(['*'], '2')];
    namespace.protected = () => true;
    for (const account of namespace.accounts.values()) delete account.imagePullSecrets;
    await namespace.reconcileAll();
    expect(said()).to.deep.equal([
      'ServiceAccount sa-7 could not be changed: PATCH: refused; other ServiceAccounts of * have problems as well',
    ]);
    expect(namespace.linker.problems(claimant(['other-*'])), 'of another pattern').to.deep.equal([]);
  });

  it('are not waited for, and leave nothing when they go', async () => {
    const namespace = new Namespace(['a']);
    namespace.protected = () => true;
    await namespace.reconcileAll();
    namespace.accounts.clear();
    await namespace.linker.reconcile({ namespace: 'team', name: 'a' }, signal);
    expect(namespace.linker.problems(namespace.claimants[0]!)).to.deep.equal([]);
  });

  it('are all released when the RegistryToken is deleted, and none is read that has nothing of it', async () => {
    const namespace = new Namespace(numbered(100));
    await namespace.reconcileAll();
    for (const name of ['new-1', 'new-2']) namespace.put(name);
    namespace.accounts.get('new-1')!.metadata.annotations = {
      'pullsecrets.dev/image-pull-secrets': recordText('uid of new-1', { other: 'app' }),
    };
    const { reads } = namespace;
    await namespace.linker.release(namespace.claimants[0]!, false, signal);
    expect([namespace.linked, namespace.reads - reads]).to.deep.equal([[], 100]);
  });

  it('are released as far as that is possible where one fails', async () => {
    const namespace = new Namespace(numbered(100));
    await namespace.reconcileAll();
    const failing = namespace.accounts.get('sa-3')!;
    namespace.accounts.set('sa-3', { ...failing, imagePullSecrets: [{ name: 'other' }] });
    namespace.protected = () => false;
    const error = new KubeError('the server fails', { status: 500, reason: 'InternalError' });
    namespace.protected = (name) => {
      if (name === 'sa-3') throw error;
      return false;
    };
    let thrown: unknown;
    await namespace.linker
      .release(namespace.claimants[0]!, false, signal)
      .catch((e: unknown) => (thrown = e));
    expect([thrown, namespace.linked]).to.deep.equal([error, []]);
  });

  it('tell what of a RegistryToken they hold, and which Secret they give', async () => {
    const namespace = new Namespace(['a', 'ci-1']);
    namespace.claimants = [claimant(['ci-*'])];
    await namespace.reconcileAll();
    const [token] = namespace.claimants;
    const holders = (entry: string): string[] | undefined => namespace.linker.holders(token!, entry);
    expect([holders('*'), holders('a*')]).to.deep.equal([['ci-1'], []]);
    expect(['app', 'other'].map((name) => namespace.linker.gives(token!, name))).to.deep.equal([true, false]);
  });
});
