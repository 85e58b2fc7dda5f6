import { expect } from 'chai';
import { applyJsonPatch, JsonPatchError } from '../../../sandbox/apiserver/patch/json-patch.ts';
import type { Json, JsonObject } from '../../../sandbox/apiserver/json.ts';
import { LINKS_ANNOTATION } from '../../../src/api/names.ts';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import type { ObjectName, Resource } from '../../../src/common/objects.ts';
import { ServiceAccountLinker } from '../../../src/controller/service-accounts/service-account-linker.ts';
import { KubeError } from '../../../src/kube/client/errors.ts';
import type { JsonPatchOperation } from '../../../src/kube/client/json-patch.ts';
import {
  recordText,
  type PullSecret,
  type ServiceAccount,
} from '../../../src/token/workloads/service-accounts.ts';
import { aToken, at, HOUR, MINUTE, SECOND } from '../../support/builders.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { Logs } from '../kube/support/logs.ts';

const NAME = { namespace: 'team', name: 'builder' };
const signal = new AbortController().signal;

const aClaimant = (): RegistryToken =>
  aToken({
    metadata: { uid: '1' },
    spec: { serviceAccounts: ['builder'] },
    status: { serviceAccounts: ['builder'], secretRef: { name: 'app', uid: 's' } },
  });

/** A ServiceAccount at a server, a linker that watches it without delay, and what it did. */
class Scene {
  readonly clock = new VirtualClock();
  readonly logs = new Logs();
  readonly events: string[] = [];
  readonly linked: unknown[] = [];
  readonly linker: ServiceAccountLinker;
  claimants: RegistryToken[] = [aClaimant()];
  /** Secrets of RegistryTokens that are gone. */
  outlived: string[] = [];
  account: ServiceAccount | undefined;
  reads = 0;
  writes = 0;
  /** Uids of RegistryTokens that have something else to say of ServiceAccounts. */
  readonly told: string[] = [];
  seesServiceAccounts = true;
  readonly serviceAccounts = {
    sees: () => this.seesServiceAccounts,
    get: () => this.account,
    named: () => (this.account ? [this.account] : []),
  };
  /** Called before each patch takes effect; may throw in place of the server. */
  meanwhile: () => void = () => undefined;

  constructor(imagePullSecrets?: PullSecret[]) {
    this.put(imagePullSecrets);
    this.linker = new ServiceAccountLinker({
      client: {
        get: (_: Resource, name: ObjectName) => this.#get(name) as never,
        jsonPatch: (_: Resource, name: ObjectName, patch: readonly JsonPatchOperation[]) =>
          this.#patch(name, patch) as never,
      },
      serviceAccounts: this.serviceAccounts,
      claimants: () => this.claimants,
      outlived: (_, { name }) => this.outlived.includes(name),
      events: { event: (_, __, reason) => void this.events.push(reason) },
      logger: this.logs,
      clock: this.clock,
      onProblem: ({ metadata }) => void this.told.push(metadata.uid),
      onLinked: (_, ...what) => void this.linked.push(what),
    });
  }

  /** Somebody else writes the list. */
  put(imagePullSecrets: PullSecret[] | undefined): void {
    const { resourceVersion, ...metadata } = this.account?.metadata ?? {
      ...NAME,
      uid: 'account-uid',
      creationTimestamp: at(0),
      resourceVersion: '0',
      managedFields: [{ manager: 'gitops', time: at(0) }],
    };
    this.account = {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { ...metadata, resourceVersion: String(Number(resourceVersion) + 1) },
      ...(imagePullSecrets && { imagePullSecrets }),
    };
  }

  get names(): (string | undefined)[] {
    return (this.account?.imagePullSecrets ?? []).map(({ name }) => name);
  }

  get said(): string[] {
    return this.linker.problems(this.claimants[0] ?? aClaimant());
  }

  async #get({ name }: ObjectName): Promise<ServiceAccount> {
    this.reads++;
    if (!this.account) throw new KubeError(`no ServiceAccount ${name}`, { status: 404, reason: 'NotFound' });
    return structuredClone(this.account);
  }

  async #patch(name: ObjectName, patch: readonly JsonPatchOperation[]): Promise<ServiceAccount> {
    this.writes++;
    this.meanwhile();
    const before = await this.#get(name);
    try {
      this.account = applyJsonPatch(
        before as unknown as JsonObject,
        patch as unknown as Json[],
      ) as unknown as ServiceAccount;
    } catch (error) {
      if (!(error instanceof JsonPatchError)) throw error;
      throw new KubeError('the server rejected our request', { status: 422, reason: 'Invalid' });
    }
    const { resourceVersion } = this.account.metadata;
    this.account.metadata.resourceVersion = String(Number(resourceVersion) + 1);
    return structuredClone(this.account);
  }
}

describe('linking ServiceAccounts', () => {
  it('reads and writes nothing where all is as it should be', async () => {
    const scene = new Scene([{ name: 'app' }]);
    scene.account!.metadata.annotations = { [LINKS_ANNOTATION]: recordText('account-uid', { 1: 'app' }) };
    expect(await scene.linker.reconcile(NAME, signal)).to.equal(undefined);
    expect([scene.reads, scene.writes, scene.told]).to.deep.equal([0, 0, []]);
  });

  it('puts a Secret in with one write, and says so once', async () => {
    const scene = new Scene([{ name: 'others' }]);
    await scene.linker.reconcile(NAME, signal);
    await scene.linker.reconcile(NAME, signal);
    expect(scene.names).to.deep.equal(['others', 'app']);
    expect([scene.writes, scene.events, scene.said]).to.deep.equal([1, ['Linked'], []]);
  });

  it('tries again when somebody writes between its read and its patch, and keeps what he wrote', async () => {
    const scene = new Scene([{ name: 'a' }]);
    let times = 3;
    scene.meanwhile = () => {
      if (times-- > 0) scene.put([...(scene.account?.imagePullSecrets ?? []), { name: `b${times}` }]);
    };
    await scene.linker.reconcile(NAME, signal);
    expect(scene.names).to.deep.equal(['a', 'b2', 'b1', 'b0', 'app']);
    expect(scene.writes).to.equal(4);
  });

  it('gives up for now when somebody always does: the queue comes back with growing waits', async () => {
    const scene = new Scene([{ name: 'a' }]);
    scene.meanwhile = () => scene.put([{ name: `b${scene.writes}` }]);
    let failure: unknown;
    await scene.linker.reconcile(NAME, signal).catch((error: unknown) => (failure = error));
    expect(failure).to.be.instanceOf(KubeError);
    expect(scene.writes).to.equal(10);
  });

  for (const [what, status, reason] of [
    ['a policy that calls it invalid', 422, 'Invalid'],
    ['missing permissions', 403, 'Forbidden'],
  ] as const)
    it(`takes ${what} for an answer: one write, then none for minutes, and Ready says why`, async () => {
      const scene = new Scene([{ name: 'a' }]);
      scene.meanwhile = () => {
        throw new KubeError('PATCH: refused by policy', { status, reason });
      };
      expect(await scene.linker.reconcile(NAME, signal)).to.deep.equal({ requeueAfter: 5 * MINUTE });
      expect(scene.writes).to.equal(1);
      expect(scene.said).to.deep.equal([
        'ServiceAccount builder could not be changed: PATCH: refused by policy',
      ]);
      expect(scene.told).to.deep.equal(['1']);
      scene.meanwhile = () => undefined;
      await scene.linker.reconcile(NAME, signal);
      expect([scene.said, scene.told]).to.deep.equal([[], ['1', '1']]);
    });

  it('tells which of its Secrets pods are given, unless something stands in the way of a change', async () => {
    const scene = new Scene([{ name: 'others' }]);
    const given = (): string[] =>
      ['app', 'renamed'].filter((name) => scene.linker.gives(scene.claimants[0] ?? aClaimant(), name));
    expect(given()).to.deep.equal([]);
    await scene.linker.reconcile(NAME, signal);
    expect(given()).to.deep.equal(['app']);
    scene.claimants = [
      { ...aClaimant(), status: { serviceAccounts: ['builder'], secretRef: { name: 'renamed', uid: 't' } } },
    ];
    expect(given()).to.deep.equal(['app']);
    scene.meanwhile = () => {
      throw new KubeError('PATCH: refused by policy', { status: 403, reason: 'Forbidden' });
    };
    await scene.linker.reconcile(NAME, signal);
    expect(given()).to.deep.equal([]);
    scene.meanwhile = () => undefined;
    await scene.linker.reconcile(NAME, signal);
    expect(given()).to.deep.equal(['renamed']);
  });

  it('tells that any of its Secrets may be given while ServiceAccounts are not known, if it names one at all', () => {
    const scene = new Scene([]);
    scene.seesServiceAccounts = false;
    expect(scene.linker.gives(aClaimant(), 'former')).to.equal(true);
    const { serviceAccounts: _, ...spec } = aClaimant().spec;
    expect(scene.linker.gives({ ...aClaimant(), spec, status: {} }, 'former')).to.equal(false);
  });

  it('tells what a ServiceAccount had before it got the Secret, and nothing when it only lost one', async () => {
    const scene = new Scene([{ name: 'others' }]);
    await scene.linker.reconcile(NAME, signal);
    scene.claimants = [{ ...aClaimant(), spec: {} }];
    await scene.linker.reconcile(NAME, signal);
    expect(scene.linked).to.deep.equal([['builder', { entries: [{ name: 'others' }], record: {} }]]);
    expect(scene.events).to.deep.equal(['Linked', 'Unlinked']);
  });

  it('tells those alone whose Secret was put in', async () => {
    const scene = new Scene([{ name: 'others' }]);
    await scene.linker.reconcile(NAME, signal);
    scene.claimants = [
      aClaimant(),
      aToken({
        metadata: { uid: '2' },
        spec: { serviceAccounts: ['builder'] },
        status: { serviceAccounts: ['builder'], secretRef: { name: 'second', uid: 't' } },
      }),
    ];
    await scene.linker.reconcile(NAME, signal);
    expect(scene.names).to.deep.equal(['others', 'app', 'second']);
    expect(scene.events).to.deep.equal(['Linked', 'Linked']);
  });

  it('tells whether a ServiceAccount has something of a RegistryToken, or may have', async () => {
    const scene = new Scene([{ name: 'others' }]);
    const holders = (uid = '1'): string[] | undefined =>
      scene.linker.holders(aToken({ metadata: { uid } }), 'builder');
    expect(holders()).to.deep.equal([]);
    await scene.linker.reconcile(NAME, signal);
    expect(holders()).to.deep.equal(['builder']);
    expect(holders('2')).to.deep.equal([]);
    scene.account = undefined;
    expect(holders()).to.deep.equal([]);
    scene.seesServiceAccounts = false;
    expect(holders(), 'as long as it is not known').to.equal(undefined);
  });

  it('waits for no ServiceAccount as long as it is not known whether there is one', () => {
    const scene = new Scene();
    scene.account = undefined;
    scene.seesServiceAccounts = false;
    expect(scene.said).to.deep.equal([]);
  });

  it('holds back after the third time that somebody took the Secret out, and begins anew once nobody wanted it', async () => {
    const scene = new Scene([{ name: 'a' }]);
    const fight = (): ReturnType<ServiceAccountLinker['reconcile']> => {
      scene.put([{ name: 'a' }]);
      delete scene.account?.metadata.managedFields;
      return scene.linker.reconcile(NAME, signal);
    };
    for (let time = 0; time < 3; time++) expect(await fight()).to.equal(undefined);
    expect(await fight()).to.deep.equal({ requeueAfter: 30 * SECOND });
    expect(scene.said[0]).to.match(/^somebody keeps taking the Secret out/);
    const { claimants } = scene;
    scene.claimants = [];
    await scene.linker.reconcile(NAME, signal);
    scene.claimants = claimants;
    expect(await fight()).to.equal(undefined);
    expect(scene.names).to.deep.equal(['a', 'app']);
  });

  it('says what it waits for while there is no ServiceAccount', async () => {
    const scene = new Scene();
    scene.account = undefined;
    await scene.linker.reconcile(NAME, signal);
    await scene.linker.reconcile(NAME, signal);
    expect(scene.said).to.deep.equal(['waits for ServiceAccount builder to be created']);
    expect([scene.reads, scene.writes, scene.told]).to.deep.equal([0, 0, ['1']]);
  });

  it('waits for no ServiceAccount that a pattern stands for, whoever else names it', async () => {
    const scene = new Scene();
    scene.account = undefined;
    const patterned = aToken({ metadata: { uid: '2' }, spec: { serviceAccounts: ['build*'] } });
    scene.claimants.push(patterned);
    await scene.linker.reconcile(NAME, signal);
    expect(scene.linker.problems(patterned)).to.deep.equal([]);
    scene.claimants.shift();
    scene.told.length = 0;
    await scene.linker.reconcile(NAME, signal);
    expect([scene.said, scene.told]).to.deep.equal([[], ['2']]);
  });

  it('tells also the RegistryToken that came while the API server was asked what stands in the way', async () => {
    const scene = new Scene();
    scene.meanwhile = () => {
      scene.claimants = [aClaimant(), { ...aClaimant(), metadata: { ...aClaimant().metadata, uid: '2' } }];
      throw new KubeError('not you', { status: 403, reason: 'Forbidden' });
    };
    await scene.linker.reconcile(NAME, signal);
    expect(scene.told).to.deep.equal(['1', '2']);
  });

  it('does not win a fight over a day, nor write all day', async () => {
    const scene = new Scene([{ name: 'a' }]);
    const took = scene.clock.monotonic();
    let next = 0;
    while (scene.clock.monotonic() - took < 24 * HOUR) {
      scene.put([{ name: 'a' }]);
      const result = await scene.linker.reconcile(NAME, signal);
      next = result?.requeueAfter ?? 10 * SECOND;
      await scene.clock.advance(Math.min(next, 10 * MINUTE));
    }
    expect(scene.said).to.deep.equal([
      'gitops keeps taking the Secret out of ServiceAccount builder, so it is put back ever more rarely',
    ]);
    expect(scene.writes).to.be.within(10, 40);
  });

  it('releases nothing where nothing was put, and what is gone is no trouble', async () => {
    const scene = new Scene([{ name: 'app' }]);
    await scene.linker.release(aClaimant(), false, signal);
    expect([scene.names, scene.writes]).to.deep.equal([['app'], 0]);
    expect(scene.logs.lines).to.deep.equal([]);
    scene.account = undefined;
    await scene.linker.release(aClaimant(), false, signal);
  });

  for (const [what, outlived, left] of [
    ['its entry, where its Secret went', [], ['a']],
    ['only its record, where its Secret stays', ['app'], ['a', 'app']],
  ] as const)
    it(`takes out of a ServiceAccount that a RegistryToken could not be released from ${what}`, async () => {
      const scene = new Scene([{ name: 'a' }]);
      await scene.linker.reconcile(NAME, signal);
      scene.claimants = [];
      scene.outlived = [...outlived];
      await scene.linker.reconcile(NAME, signal);
      expect(scene.names).to.deep.equal(left);
      scene.outlived = [];
      await scene.linker.reconcile(NAME, signal);
      expect(scene.names).to.deep.equal(left);
    });

  for (const [what, keepEntries, left] of [
    ['the Secret', false, ['a']],
    ['its record alone, where the Secret stays', true, ['a', 'app']],
  ] as const)
    it(`releases a ServiceAccount from ${what}, and says so in the log`, async () => {
      const scene = new Scene([{ name: 'a' }]);
      await scene.linker.reconcile(NAME, signal);
      await scene.linker.release(aClaimant(), keepEntries, signal);
      expect(scene.names).to.deep.equal(left);
      expect(scene.linker.holders(aClaimant(), 'builder')).to.deep.equal([]);
      expect(scene.logs.messages('info').at(-1)).to.equal('ServiceAccount released');
    });

  it('does not hold a deletion for what it may not change', async () => {
    const scene = new Scene([{ name: 'a' }]);
    await scene.linker.reconcile(NAME, signal);
    scene.meanwhile = () => {
      throw new KubeError('PATCH: refused', { status: 403, reason: 'Forbidden' });
    };
    await scene.linker.release(aClaimant(), false, signal);
    expect(scene.logs.messages('warn')).to.deep.equal([
      'ServiceAccount builder could not be changed: PATCH: refused',
    ]);
  });
});
