import { expect } from 'chai';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import { POD_INDEXES, PodWatch, type PodWatchOptions } from '../../../src/controller/pods/pod-watch.ts';
import { essentialPod, type KeptPod } from '../../../src/controller/shared/kept-fields.ts';
import type { Change } from '../../../src/kube/cache/replica.ts';
import { IndexedStore } from '../../../src/kube/cache/store.ts';
import type { Pod } from '../../../src/token/workloads/pods.ts';
import { wantedSecret } from '../../../src/token/secret/claimants.ts';
import { anIssuedToken, HOST, type Part } from '../../support/builders.ts';
import { aPod } from '../../support/pods.ts';

const running = {
  status: { phase: 'Running', containerStatuses: [{ name: 'main', state: { running: {} } }] },
};

class Stage {
  readonly store = new IndexedStore<KeptPod>(POD_INDEXES);
  readonly concerned: string[] = [];
  readonly secrets = new Set(['app']);
  seen = true;
  tokens: RegistryToken[] = [anIssuedToken({ status: { host: HOST } })];
  readable: (namespace: string | undefined) => void = () => expect.fail('nobody listens');
  #tell: (change: Change<KeptPod>) => void = () => expect.fail('nobody listens');
  readonly watch = new PodWatch({
    reflectors: {
      onChange: (listener: (change: Change<KeptPod>) => void) => void (this.#tell = listener),
      onReadable: (listener: (namespace: string | undefined) => void) => void (this.readable = listener),
      sees: () => this.seen,
      byIndex: (index: string, value: string) => this.store.byIndex(index, value),
    },
    claimants: (_: string, secret: string) => this.tokens.filter((token) => wantedSecret(token) === secret),
    tokensIn: () => this.tokens,
    hasSecret: ({ name }: { name: string }) => this.secrets.has(name),
    onCounts: ({ metadata }: RegistryToken) => void this.concerned.push(metadata.name),
  } as unknown as PodWatchOptions);

  put(name: string, part: Part<Pod> = {}): void {
    const pod = aPod(part);
    const object = essentialPod({ ...pod, metadata: { ...pod.metadata, name } });
    const previous = this.store.set(object);
    this.#tell({
      type: previous ? 'updated' : 'added',
      object,
      ...(previous && { previous }),
      initial: false,
    });
  }

  remove(name: string): void {
    const previous = this.store.remove({ namespace: 'team', name });
    if (previous) this.#tell({ type: 'deleted', object: previous, previous, initial: false });
  }

  get counts(): unknown {
    return this.watch.counts(this.tokens[0]!);
  }
}

describe('the watch of pods', () => {
  let stage: Stage;
  beforeEach(() => {
    stage = new Stage();
  });

  it('counts those that use the Secret of a RegistryToken, and those that wait for it', () => {
    stage.put('waits');
    stage.put('runs', running);
    stage.put('elsewhere', { spec: { containers: [{ name: 'main', image: 'elsewhere.example/app' }] } });
    stage.put('other', { spec: { imagePullSecrets: [{ name: 'other' }] } });
    expect(stage.counts).to.deep.equal({ using: 2, waiting: 1 });
    stage.put('waits', { status: { phase: 'Succeeded' } });
    stage.remove('runs');
    expect(stage.counts).to.deep.equal({ using: 0, waiting: 0 });
  });

  it('counts those that mount a Secret which is not there', () => {
    const spec = {
      nodeName: 'n',
      imagePullSecrets: [],
      volumes: [{ name: 'v', secret: { secretName: 'app' } }],
    };
    stage.put('mounts', { spec, status: { containerStatuses: [] } });
    expect(stage.counts).to.deep.equal({ using: 1, waiting: 0 });
    stage.secrets.clear();
    expect(stage.counts).to.deep.equal({ using: 1, waiting: 1 });
  });

  it('counts nothing while it does not know all pods', () => {
    stage.seen = false;
    expect(stage.counts).to.equal(undefined);
  });

  it('tells the RegistryTokens of whose Secret a pod needs something else, and no others', () => {
    const told = (): string[] => stage.concerned.splice(0);
    stage.put('a', running);
    expect(told()).to.deep.equal(['app']);
    stage.put('a', { ...running, metadata: { resourceVersion: '2' } });
    expect(told(), 'the same needs').to.deep.equal([]);
    stage.put('a', { status: running.status, spec: { imagePullSecrets: [{ name: 'other' }] } });
    expect(told(), 'which it no longer names').to.deep.equal(['app']);
    stage.remove('a');
    expect(told()).to.deep.equal([]);
    stage.put('b');
    stage.remove('b');
    expect(told()).to.deep.equal(['app', 'app']);
  });

  it('tells all RegistryTokens of a namespace that can be read again', () => {
    stage.readable('team');
    expect(stage.concerned).to.deep.equal(['app']);
  });
});

describe('of a pod the watches keep', () => {
  it('what it needs, once for all that need the same, and neither uid nor labels', () => {
    const pods = ['a', 'b'].map((name) => {
      const pod = aPod();
      return essentialPod({
        ...pod,
        metadata: { ...pod.metadata, name, labels: { huge: 'x'.repeat(10_000) } },
      });
    });
    expect(pods[0]?.needs).to.equal(pods[1]?.needs);
    expect(pods[0]).to.deep.equal({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'a', namespace: 'team', uid: '', resourceVersion: '1', creationTimestamp: '' },
      needs: { pullSecrets: ['app'], mounted: [], hosts: [HOST], failing: [HOST], starting: false },
    });
  });

  it('no more names than one can need, and none that is too long', () => {
    const names = Array.from({ length: 1_000 }, (_, n) => ({ name: `s${n}` }));
    const containers = [{ name: 'main', image: `${'x'.repeat(100_000)}.example/app` }];
    const pod = essentialPod(
      aPod({ spec: { imagePullSecrets: [{ name: 'y'.repeat(1_000) }, ...names], containers } }),
    );
    expect(JSON.stringify(pod).length).to.be.lessThan(1_000);
    expect(pod.needs?.pullSecrets).to.have.length(64).and.include('s0');
  });
});
