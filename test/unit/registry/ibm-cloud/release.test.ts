import { expect } from 'chai';
import type { IamState } from '../../../../sandbox/registries/ibm-cloud/iam-state.ts';
import type { IbmCloud } from '../../../../sandbox/registries/ibm-cloud/ibm-cloud.ts';
import type { Registry } from '../../../../src/registry/port.ts';
import { RegistryError } from '../../../../src/registry/errors.ts';
import { aRequest } from '../../../conformance/support/stage.ts';
import type { VirtualClock } from '../../../support/virtual-clock.ts';
import { IbmCloudStage } from './support/ibm-cloud-stage.ts';

const { signal } = new AbortController();
const DAY = 86_400_000;

describe('a service ID of IBM Cloud, with which its API keys would go,', () => {
  let clock: VirtualClock;
  let state: IamState;
  let fake: IbmCloud;
  let registry: Registry;
  /** The operator of another cluster that uses the same cluster id, or the next process of this one. */
  let another: Registry;

  beforeEach(() => {
    const stage = new IbmCloudStage();
    ({ clock, state, fake } = stage);
    [registry, another] = [stage.registry(), stage.registry()];
  });

  const alive = (): string[] =>
    [...state.serviceIds.values()]
      .filter(({ deletedAt, createdAt }) => deletedAt === undefined && createdAt > 0)
      .map(({ id }) => id);
  const keysOf = (): string[] =>
    [...state.keys.values()]
      .filter(({ deletedAt, createdAt }) => deletedAt === undefined && createdAt > 0)
      .map(({ id }) => id);
  const issue = async (by: Registry, revision: number): Promise<string> => {
    // IAM shows it as created later than the administrator's.
    await clock.advance(60_000);
    return (await by.issue(aRequest({ revision }), signal)).id;
  };
  const { tag } = aRequest();
  const codeOf = async (act: Promise<unknown> | undefined): Promise<string | undefined> => {
    const error: unknown = await act?.catch((each: unknown) => each);
    return error instanceof RegistryError ? error.code : undefined;
  };
  const release = (): Promise<string | undefined> => codeOf(registry.release?.(tag, [], signal));

  it('is not released while a key hangs on it that is none of those revoked', async () => {
    const own = await issue(registry, 1);
    const theirs = await issue(another, 2);
    await registry.revoke?.(own, signal);
    expect(await release()).to.equal('Conflict');
    expect([alive().length, keysOf()]).to.deep.equal([1, [theirs]]);
    await another.revoke?.(theirs, signal);
    await another.release?.(tag, [], signal);
    expect(alive()).to.deep.equal([]);
  });

  it('is not deleted either: that is a conflict, and what hangs on it lives', async () => {
    const key = await issue(registry, 1);
    const [id = ''] = alive();
    const error = await registry.revoke?.(id, signal).catch((each: unknown) => each);
    expect(error).to.be.instanceOf(RegistryError).with.property('code', 'Conflict');
    expect([alive(), keysOf()]).to.deep.equal([[id], [key]]);
    await registry.revoke?.(key, signal);
    await registry.revoke?.(id, signal);
    expect(alive()).to.deep.equal([]);
  });

  it('stays while a key hangs on it that IAM does not list yet', async () => {
    const first = await issue(registry, 1);
    const [id = ''] = alive();
    await clock.advance(60_000);
    state.lag.reading = 30_000;
    const second = (await registry.issue(aRequest({ revision: 2 }), signal)).id;
    await registry.revoke?.(first, signal);
    expect(await release()).to.equal('Conflict');
    expect(await codeOf(registry.revoke?.(id, signal))).to.equal('Conflict');
    expect([alive(), keysOf()]).to.deep.equal([[id], [second]]);
  });

  it('stays while it is not known whether a key was created on it', async () => {
    const first = await issue(registry, 1);
    const [id = ''] = alive();
    await registry.revoke?.(first, signal);
    await clock.advance(60_000);
    fake.faults.add({ operation: 'mint', kind: 'drop-after-effect', times: 1 });
    state.lag.reading = 30_000;
    const lost = await registry.issue(aRequest({ revision: 2 }), signal).catch((each: unknown) => each);
    expect(lost).to.be.instanceOf(RegistryError).with.property('code', 'Ambiguous');
    expect(await release()).to.equal('Conflict');
    expect(alive()).to.deep.equal([id]);
    await clock.advance(360_000);
    for (const key of keysOf()) await registry.revoke?.(key, signal);
    await registry.release?.(tag, [], signal);
    expect(alive()).to.deep.equal([]);
  });

  it('is released though IAM still lists the key that was revoked a moment ago', async () => {
    const key = await issue(registry, 1);
    await clock.advance(60_000);
    state.lag.reading = 30_000;
    await registry.revoke?.(key, signal);
    await registry.release?.(tag, [], signal);
    expect(alive()).to.deep.equal([]);
  });

  it('is released once a key whose creation had no answer was found in a list and revoked', async () => {
    await clock.advance(60_000);
    fake.faults.add({ operation: 'mint', kind: 'drop-after-effect', times: 1 });
    await registry.issue(aRequest(), signal).catch((each: unknown) => each);
    const listed = (await registry.list?.([], (row) => (row.identity ? undefined : row.id), signal)) ?? [];
    expect(listed).to.have.length(1);
    for (const key of listed) await registry.revoke?.(key, signal);
    expect([await release(), alive()]).to.deep.equal([undefined, []]);
  });

  it('is not forgotten while IAM does not list it yet', async () => {
    await clock.advance(60_000);
    state.lag.reading = 30_000;
    fake.faults.add({ operation: 'mint', kind: 'status', status: 400, times: 1 });
    await registry.issue(aRequest(), signal).catch((each: unknown) => each);
    expect([await release(), alive().length]).to.deep.equal(['Unavailable', 1]);
    await clock.advance(30_000);
    expect([await release(), alive()]).to.deep.equal([undefined, []]);
  });

  it('is not forgotten where its creation had no answer and IAM does not list it yet', async () => {
    await clock.advance(60_000);
    await registry.issue(aRequest({ uid: 'another' }), signal);
    const before = alive();
    await clock.advance(60_000);
    state.lag.reading = 30_000;
    fake.faults.add({ operation: 'createServiceId', kind: 'drop-after-effect', times: 1 });
    await registry.issue(aRequest(), signal).catch((each: unknown) => each);
    expect([await release(), alive().length]).to.deep.equal(['Conflict', before.length + 1]);
    await clock.advance(30_000);
    expect([await release(), alive()]).to.deep.equal([undefined, before]);
  });

  it('is released though an expired key hangs on it', async () => {
    await issue(registry, 1);
    await clock.advance(2 * DAY);
    await registry.release?.(tag, [], signal);
    expect(alive()).to.deep.equal([]);
  });
});
