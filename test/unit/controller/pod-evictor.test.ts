import { expect } from 'chai';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import type { KubeObject, ObjectName, Resource } from '../../../src/common/objects.ts';
import { PodEvictor, type PodEvictorOptions } from '../../../src/controller/pods/pod-evictor.ts';
import { TOKEN_ID_ANNOTATION } from '../../../src/api/names.ts';
import { WorkQueue } from '../../../src/kube/queue/work-queue.ts';
import { WorkerPool } from '../../../src/kube/queue/worker-pool.ts';
import { KubeError } from '../../../src/kube/client/errors.ts';
import type { Selection } from '../../../src/kube/client/selection.ts';
import type { Manifest } from '../../../src/kube/client/manifest.ts';
import type { Pod } from '../../../src/token/workloads/pods.ts';
import type { PullSecret, ServiceAccount } from '../../../src/token/workloads/service-accounts.ts';
import { anIssuedToken, aSecret, at, ISSUED, MINUTE, SECOND, type Part } from '../../support/builders.ts';
import { aPod } from '../../support/pods.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { Logs } from '../kube/support/logs.ts';

const aGoodToken = (part: Part<RegistryToken> = {}): RegistryToken =>
  anIssuedToken({
    status: { secretRef: { name: 'app', uid: 's' } },
    ...part,
  });

const HALF_AN_HOUR = 30 * MINUTE;

/** Pods at a server, and an evictor that runs from `ISSUED` on. */
class Scene {
  readonly clock = new VirtualClock(ISSUED);
  readonly logs = new Logs();
  readonly pods = new Map<string, Pod>();
  readonly events: string[] = [];
  /** Names of pods whose eviction was asked for, and when. */
  readonly asked: [name: string, milliseconds: number][] = [];
  readonly evictor: PodEvictor;
  token: RegistryToken | undefined = aGoodToken();
  /** As the watch has it. */
  secret: Pick<KubeObject, 'metadata'> | undefined = aSecret();
  imagePullSecrets: PullSecret[] = [];
  lists = 0;
  readonly reads: string[] = [];
  /** Called at each eviction; may throw in place of the server. */
  meanwhile: (name: string) => void = () => undefined;
  /** In place of an answer to whoever reads pods. */
  refusal: KubeError | undefined;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  constructor(...names: string[]) {
    for (const name of names) this.put(name);
    const client = {
      discover: () => Promise.resolve([{ name: 'pods/eviction', group: 'policy', version: 'v1' }]),
      listAll: (_: Resource, selection: Selection & { signal?: AbortSignal }) => this.#list(selection),
      get: (_: Resource, { name }: ObjectName) => this.#get(name),
      createSubresource: (_: Resource, { name }: ObjectName, __: string, body: Manifest) =>
        this.#evict(name, body),
    };
    const { clock } = this;
    const queue = new WorkQueue({ clock });
    this.evictor = new PodEvictor({
      client: client as unknown as PodEvictorOptions['client'],
      token: () => this.token,
      secret: () => this.secret,
      serviceAccounts: {
        get: () => ({ imagePullSecrets: this.imagePullSecrets }) as Partial<ServiceAccount> as ServiceAccount,
      },
      events: {
        event: ({ kind, metadata }, __, reason) =>
          void this.events.push(`${kind} ${metadata.name}: ${reason}`),
      },
      queue,
      logger: this.logs,
      clock,
    });
    const pool = new WorkerPool({
      name: 'eviction',
      queue,
      workers: 1,
      reconcile: (key, signal) => this.evictor.reconcile(key, signal),
      drainTime: 0,
      clock,
      logger: this.logs,
    });
    this.#done = pool.run(this.#stop.signal);
  }

  /** A pod that waits for its image, unless told otherwise. */
  put(name: string, part: Part<Pod> = {}): void {
    const version = Number(this.pods.get(name)?.metadata.resourceVersion ?? 0) + 1;
    const metadata = { name, uid: `uid of ${name}`, resourceVersion: String(version) };
    this.pods.set(name, aPod({ ...part, metadata: { ...metadata, ...part.metadata } }));
  }

  /** Kubelet's next try succeeds. */
  recover(name: string): void {
    const state = { running: {} };
    this.put(name, { status: { phase: 'Running', containerStatuses: [{ name: 'main', state }] } });
  }

  get evicted(): string[] {
    return this.asked.map(([name]) => name);
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.clock.advance(MINUTE);
    await this.#done;
  }

  #list({ namespace, fieldSelector, signal }: Selection & { signal?: AbortSignal }): Promise<Pod[]> {
    this.lists++;
    expect([namespace, fieldSelector, signal instanceof AbortSignal]).to.deep.equal([
      'team',
      'status.phase=Pending',
      true,
    ]);
    if (this.refusal) return Promise.reject(this.refusal);
    return Promise.resolve(structuredClone([...this.pods.values()]));
  }

  #get(name: string): Promise<Pod> {
    const pod = this.pods.get(name);
    this.reads.push(name);
    if (this.refusal) return Promise.reject(this.refusal);
    return pod
      ? Promise.resolve(structuredClone(pod))
      : Promise.reject(new KubeError('gone', { status: 404 }));
  }

  async #evict(name: string, body: Manifest): Promise<void> {
    this.asked.push([name, this.clock.monotonic()]);
    this.meanwhile(name);
    const { metadata } = this.pods.get(name) ?? aPod();
    const { preconditions } = (body as unknown as { deleteOptions: { preconditions: object } }).deleteOptions;
    const { uid, resourceVersion } = metadata;
    expect(preconditions).to.have.all.keys('uid', 'resourceVersion');
    if (JSON.stringify(preconditions) !== JSON.stringify({ uid, resourceVersion }))
      throw new KubeError('changed', { status: 409, reason: 'Conflict' });
    this.pods.delete(name);
  }
}

describe('evicting pods that came before their Secret', () => {
  let scene: Scene;
  const stage = (...pods: string[]): Scene => (scene = new Scene(...pods));
  const good = (): void => scene.evictor.secretIsGood(scene.token ?? aGoodToken());
  afterEach(() => scene.end());

  it('waits a second, then takes one a second, each with an event', async () => {
    stage('a', 'b', 'c');
    good();
    await scene.clock.advance(10 * SECOND);
    expect(scene.asked).to.deep.equal([
      ['a', 1_000],
      ['b', 2_000],
      ['c', 3_000],
    ]);
    expect(scene.events).to.deep.equal(['Pod a: PodEvicted', 'Pod b: PodEvicted', 'Pod c: PodEvicted']);
    expect(scene.lists).to.equal(1);
  });

  it('takes those of a RegistryToken whose spec has become invalid, since its Secret is good', async () => {
    stage('a');
    const { spec, ...rest } = scene.token!;
    scene.token = { ...rest, spec: { ...spec, secret: { extraHosts: ['us.icr.io/team'] } } };
    good();
    await scene.clock.advance(10 * SECOND);
    expect(scene.events).to.deep.equal(['Pod a: PodEvicted']);
  });

  it('says in the log of which RegistryToken and pod', async () => {
    stage('a');
    good();
    await scene.clock.advance(2 * SECOND);
    const [line] = scene.logs.lines.filter(({ level }) => level === 'info');
    const { uid } = aGoodToken().metadata;
    expect(line?.fields).to.deep.equal({ namespace: 'team', name: 'app', uid, pod: 'a' });
  });

  it('takes those that pull from other hosts that the Secret serves', async () => {
    stage();
    scene.put('a', { spec: { containers: [{ name: 'main', image: 'mirror.example/app:1' }] } });
    good();
    await scene.clock.advance(2 * SECOND);
    expect(scene.evicted).to.deep.equal([]);
    scene.token = aGoodToken({ spec: { secret: { extraHosts: ['mirror.example'] } } });
    await scene.clock.advance(HALF_AN_HOUR);
    expect(scene.evicted).to.deep.equal(['a']);
  });

  it('looks closer at none that it would not evict', async () => {
    stage('a');
    scene.put('b', { metadata: { creationTimestamp: at(5 * MINUTE) } });
    good();
    await scene.clock.advance(10 * SECOND);
    expect(scene.reads).to.deep.equal(['a']);
  });

  it('goes on with the next where one is gone when its turn comes', async () => {
    stage('a', 'b', 'c');
    scene.meanwhile = () => void scene.pods.delete('b');
    good();
    await scene.clock.advance(10 * SECOND);
    expect(scene.evicted).to.deep.equal(['a', 'c']);
    expect(scene.lists).to.equal(1);
  });

  it('looks once for sixty', async () => {
    stage(...Array.from({ length: 60 }, (_, number) => `pod-${number}`));
    good();
    await scene.clock.advance(61 * SECOND);
    expect([scene.evicted.length, scene.lists]).to.deep.equal([60, 1]);
  });

  it('tries again where the API server fails', async () => {
    stage('a');
    scene.refusal = new KubeError('down', { status: 503 });
    good();
    await scene.clock.advance(2 * SECOND);
    scene.refusal = undefined;
    await scene.clock.advance(10 * SECOND);
    expect(scene.evicted).to.deep.equal(['a']);
  });

  it('leaves alone those that kubelet has helped meanwhile', async () => {
    stage('a', 'b', 'c');
    scene.meanwhile = () => scene.recover('b');
    good();
    await scene.clock.advance(10 * MINUTE);
    expect(scene.evicted).to.deep.equal(['a', 'c']);
    expect(scene.pods.has('b')).to.equal(true);
  });

  it('leaves alone one that changes at the last moment, and looks at it again later', async () => {
    stage('a');
    scene.meanwhile = () => scene.put('a');
    good();
    await scene.clock.advance(10 * SECOND);
    expect([scene.evicted, scene.events]).to.deep.equal([['a'], []]);
    expect(scene.logs.messages('warn')).to.deep.equal([]);
    scene.meanwhile = () => undefined;
    await scene.clock.advance(10 * SECOND);
    expect([scene.evicted, scene.events]).to.deep.equal([['a', 'a'], ['Pod a: PodEvicted']]);
  });

  it('stops when the RegistryToken goes, or its Secret is good no more', async () => {
    for (const token of [undefined, aGoodToken({ status: {} })]) {
      stage('a', 'b');
      scene.meanwhile = () => (scene.token = token);
      good();
      await scene.clock.advance(10 * MINUTE);
      expect(scene.evicted).to.deep.equal(['a']);
      await scene.end();
    }
  });

  it('keeps its pace where a budget refuses, and asks again at each look', async () => {
    stage('a', 'b');
    scene.meanwhile = () => {
      throw new KubeError('the budget allows none', { status: 429, reason: 'TooManyRequests' });
    };
    good();
    await scene.clock.advance(HALF_AN_HOUR);
    const times = [1, 2, 15, 16, 60, 61, 300, 301].map((second) => second * SECOND);
    expect(scene.asked.map(([, time]) => time)).to.deep.equal(times);
    expect(scene.logs.messages('warn')).to.have.length(8);
    expect(scene.events).to.deep.equal([]);
  });

  it('gives each of many its turn in one look, however many a budget refuses', async () => {
    const names = Array.from({ length: 150 }, (_, number) => `pod-${String(number).padStart(3, '0')}`);
    stage(...names);
    scene.meanwhile = (name) => {
      if (name < 'pod-070') throw new KubeError('the budget allows none', { status: 429 });
    };
    good();
    await scene.clock.advance(152 * SECOND + 500);
    expect(scene.evicted).to.deep.equal(names);
    // Nobody works on it for longer than a minute at a time.
    expect(scene.lists).to.equal(3);
  });

  it('asks once for one that takes its time to end', async () => {
    stage('a');
    scene.put('a', { metadata: { resourceVersion: '1' } });
    scene.meanwhile = (name) =>
      void setImmediate(() => scene.put(name, { metadata: { resourceVersion: '1' } }));
    good();
    await scene.clock.advance(HALF_AN_HOUR);
    expect(scene.evicted).to.deep.equal(['a']);
  });

  it('looks four times, and then no more', async () => {
    stage();
    good();
    await scene.clock.advance(HALF_AN_HOUR);
    expect(scene.lists).to.equal(4);
    scene.put('late');
    await scene.clock.advance(HALF_AN_HOUR);
    expect(scene.evicted).to.deep.equal([]);
  });

  const bad: [string, Scene['secret'], RegistryToken][] = [
    ['is gone', undefined, aGoodToken()],
    [
      'holds another token',
      aSecret({ metadata: { annotations: { [TOKEN_ID_ANNOTATION]: 'x' } } }),
      aGoodToken(),
    ],
    ['is another’s', aSecret({}, { token: anIssuedToken({ metadata: { uid: 'other' } }) }), aGoodToken()],
    [
      'holds a dead token',
      aSecret(),
      aGoodToken({
        status: { secretRef: { name: 'app', uid: 's' }, token: { expiresAt: at(0) } },
      }),
    ],
  ];
  for (const [what, secret, token] of bad) {
    it(`evicts nobody for a Secret that ${what}`, async () => {
      stage('a');
      good();
      Object.assign(scene, { secret, token });
      await scene.clock.advance(HALF_AN_HOUR);
      expect(scene.evicted).to.deep.equal([]);
      expect(scene.lists, 'nor are pods looked for').to.equal(0);
    });
  }

  it('evicts nobody for a RegistryToken that is to go', async () => {
    stage('a');
    good();
    scene.token = aGoodToken({ metadata: { deletionTimestamp: at(0) } });
    await scene.clock.advance(HALF_AN_HOUR);
    expect([scene.evicted, scene.lists]).to.deep.equal([[], 0]);
  });

  it('begins anew when the Secret becomes good again while the last pods are evicted', async () => {
    stage();
    good();
    await scene.clock.advance(299 * SECOND);
    scene.put('a');
    scene.meanwhile = () => {
      scene.meanwhile = () => undefined;
      scene.put('b', { metadata: { creationTimestamp: at(5 * MINUTE) } });
      good();
    };
    await scene.clock.advance(30 * SECOND);
    expect(scene.evicted).to.deep.equal(['a', 'b']);
  });

  describe('because a ServiceAccount got it', () => {
    const none = { entries: [], record: {} };
    const admitted = (name: string, imagePullSecrets: PullSecret[] = []): void =>
      scene.put(name, { spec: { serviceAccountName: 'builder', imagePullSecrets } });
    const link = (before: Parameters<PodEvictor['linked']>[2]): void => {
      scene.imagePullSecrets = [...before.entries, { name: 'app' }];
      scene.evictor.linked(scene.token ?? aGoodToken(), 'builder', before);
    };

    it('takes those that were admitted without it, and none that names it: for those it was good all the time', async () => {
      stage('named');
      admitted('early');
      link(none);
      await scene.clock.advance(HALF_AN_HOUR);
      expect(scene.evicted).to.deep.equal(['early']);
    });

    it('remembers what made it look before', async () => {
      stage('named');
      admitted('early', [{ name: 'others' }]);
      good();
      link({ entries: [{ name: 'others' }], record: {} });
      link({ entries: [{ name: 'reset' }], record: {} });
      await scene.clock.advance(10 * SECOND);
      expect(scene.evicted).to.deep.equal(['named', 'early']);
    });

    it('leaves them alone while somebody has taken it out again: another would come no better', async () => {
      stage();
      admitted('early');
      link(none);
      scene.imagePullSecrets = [{ name: 'others' }];
      await scene.clock.advance(10 * SECOND);
      expect(scene.evicted).to.deep.equal([]);
      scene.imagePullSecrets = [{ name: 'app' }];
      await scene.clock.advance(10 * SECOND);
      expect(scene.evicted).to.deep.equal(['early']);
    });
  });

  it('says what to permit where it may not, and does not ask over and over', async () => {
    stage('a');
    scene.refusal = new KubeError('pods is forbidden', { status: 403, reason: 'Forbidden' });
    good();
    await scene.clock.advance(HALF_AN_HOUR);
    expect(scene.lists).to.equal(1);
    const [line] = scene.logs.lines.filter(({ level }) => level === 'error');
    expect(String(line?.fields['err'])).to.match(/get and list pods .* or set --evict-pods=false/);
  });
});
