import { expect } from 'chai';
import { ROTATE_ANNOTATION } from '../../../src/api/names.ts';
import { REGISTRY_ACCOUNTS, REGISTRY_TOKENS } from '../../../src/api/resources.ts';
import { NAMESPACES, PODS, SECRETS, SERVICE_ACCOUNTS } from '../../../src/kube/client/resources.ts';
import type { KubeObject } from '../../../src/common/objects.ts';
import { workCheck } from '../../../src/ops/health.ts';
import type { ServiceAccount } from '../../../src/token/workloads/service-accounts.ts';
import { MINUTE, SECOND } from '../../support/builders.ts';
import { aPod } from '../../support/pods.ts';
import { settle } from '../../support/virtual-clock.ts';
import { refuse } from '../kube/support/model-server.ts';
import { OperatorStage } from './support/operator-stage.ts';

const NAMESPACE = 'default';

describe('the operator', () => {
  let stage: OperatorStage;
  beforeEach(async () => {
    stage = new OperatorStage();
    await stage.prepare();
  });
  afterEach(() => stage.end());

  const times = (what: string): number => stage.did.filter((each) => each === what).length;

  it('tells its cluster by what it watches: begun work does not hang on one more answer', async () => {
    const { led, operator } = stage.begin();
    await stage.clock.advance(10 * SECOND);
    expect(operator.longestRunning, 'while there is no work').to.equal(0);
    const { metadata } = await stage.client.get(NAMESPACES, { name: 'kube-system' });
    const [working] = stage.logs.lines.filter(({ message }) => message === 'working');
    expect(working?.fields).to.deep.equal({ clusterId: metadata.uid, tokens: 0 });
    expect(stage.calls.filter((call) => call.endsWith('/kube-system'))).to.have.length(1);
    stage.stop.abort();
    expect(await led).to.equal(undefined);
  });

  it('tells its cluster by the id that it was given', async () => {
    stage.begin({ clusterId: 'mine' });
    await stage.clock.advance(10 * SECOND);
    expect(stage.logs.lines.find(({ message }) => message === 'working')?.fields).to.include({
      clusterId: 'mine',
    });
  });

  it('does not work where nothing tells its cluster', async () => {
    stage.intercept = ({ path }) =>
      path === '/api/v1/namespaces'
        ? Promise.resolve({ metadata: { resourceVersion: '1' }, items: [] })
        : undefined;
    const { led } = stage.begin();
    await stage.clock.advance(10 * SECOND);
    expect(await led)
      .to.be.an('error')
      .with.property('message')
      .that.includes('set --cluster-id');
  });

  it('has a queue with metrics for each controller', () => {
    stage.begin();
    expect(stage.queues).to.have.members([
      'registrytoken',
      'registryaccount',
      'sweep',
      'serviceaccount',
      'pods',
      'eviction',
      'clusterregistrytoken',
    ]);
  });

  it('knows of work that hangs, a sweep too: it is not alive for ever', async () => {
    await stage.putAccount();
    stage.hanging.add('us-south');
    const { operator } = stage.begin();
    const alive = workCheck(() => operator.longestRunning, 600_000);
    await stage.clock.advance(MINUTE);
    expect(operator.longestRunning).to.be.within(50_000, 60_000);
    expect(alive()).to.include({ ok: true });
    await stage.clock.advance(600_000);
    expect(alive()).to.include({ ok: false });
  });

  it('issues tokens, counts them, and lets no log show a key', async () => {
    await stage.putAccount();
    await stage.putToken('app');
    stage.begin();
    await stage.clock.advance(10 * SECOND);
    expect((await stage.token('app')).status?.token).to.include({ id: 'token-1' });
    expect(times('counted mint for FirstIssue')).to.equal(1);
    expect(stage.protected).to.include('key');
  });

  it('revokes what a deleted RegistryToken had, and counts that', async () => {
    await stage.putAccount();
    await stage.putToken('app');
    stage.begin();
    await stage.clock.advance(10 * SECOND);
    await stage.client.delete(REGISTRY_TOKENS, { namespace: NAMESPACE, name: 'app' });
    await stage.clock.advance(10 * SECOND);
    expect([...stage.rows.keys()]).to.deep.equal([]);
    expect(times('counted revocation as success')).to.equal(1);
  });

  it('says of a token that it can not revoke when its account is gone', async () => {
    await stage.putAccount();
    await stage.putToken('app', { spec: { rotation: { gracePeriod: '5m' } } });
    stage.begin();
    await stage.clock.advance(10 * SECOND);
    await stage.client.jsonPatch(REGISTRY_TOKENS, { namespace: NAMESPACE, name: 'app' }, [
      { op: 'add', path: '/metadata/annotations', value: { [ROTATE_ANNOTATION]: 'now' } },
    ]);
    await stage.clock.advance(10 * SECOND);
    await stage.client.delete(REGISTRY_ACCOUNTS, { name: 'default' });
    await stage.clock.advance(6 * MINUTE);
    const [previous] = (await stage.token('app')).status?.previousTokens ?? [];
    expect(previous?.lastError).to.equal('RegistryAccount default does not exist, or was deleted');
  });

  it('looks at accounts before RegistryTokens, and at each again when its time comes', async () => {
    await stage.putAccount();
    await stage.putToken('app');
    stage.begin();
    await stage.clock.advance(14 * MINUTE);
    expect(stage.did[0]).to.equal('verify');
    expect(times('verify')).to.equal(1);
    await stage.clock.advance(2 * MINUTE);
    expect(times('verify')).to.equal(2);
  });

  it('goes on after five seconds though accounts can not be tried, which is done again', async () => {
    await stage.putAccount();
    await stage.putToken('app');
    stage.isMute = true;
    stage.begin();
    await stage.clock.advance(4 * SECOND);
    expect((await stage.token('app')).status).to.equal(undefined);
    await stage.clock.advance(6 * SECOND);
    expect((await stage.token('app')).status?.reason).to.equal('Issuing');
    expect(times('verify')).to.equal(2);
  });

  it('sweeps each account when it begins, and at its interval', async () => {
    await stage.putAccount();
    stage.begin({ sweepInterval: 20 * MINUTE });
    await stage.clock.advance(10 * SECOND);
    expect(times('list in us-south')).to.equal(1);
    await stage.clock.advance(20 * MINUTE);
    expect(times('list in us-south')).to.equal(2);
  });

  it('issues another token where two sweeps found that the registry lost one', async () => {
    await stage.putAccount();
    await stage.putToken('app');
    stage.begin({ sweepInterval: 20 * MINUTE });
    await stage.clock.advance(10 * SECOND);
    stage.rows.clear();
    await stage.clock.advance(22 * MINUTE);
    expect(times('counted mint for TokenLost')).to.equal(1);
    expect(stage.rows.size).to.equal(1);
  });

  it('looks a minute later for what came of a request that it gave up, and has it revoked', async () => {
    await stage.putAccount();
    await stage.putToken('app');
    stage.isConfused = true;
    stage.begin();
    await stage.clock.advance(SECOND);
    stage.isConfused = false;
    await stage.clock.advance(30 * SECOND);
    expect((await stage.token('app')).status?.token).to.include({ revision: 2 });
    stage.rows.set('late', { id: 'late', description: stage.confused, expiresAt: null, revoked: false });
    await stage.clock.advance(13 * MINUTE);
    expect([...stage.rows.keys()]).to.deep.equal(['token-1']);
  });

  describe('whose registry is down', () => {
    beforeEach(async () => {
      await stage.putAccount();
      await stage.putToken('app');
      const retryAt = stage.clock.now() + MINUTE;
      stage.outage = { kind: 'Down', message: 'down', retryAt, isTried: false };
      stage.begin();
      await stage.clock.advance(10 * SECOND);
      expect((await stage.token('app')).status?.reason).to.equal('RegistryUnavailable');
    });

    it('issues tokens as soon as it answers again', async () => {
      stage.outage = undefined;
      stage.back('default');
      await stage.clock.advance(SECOND);
      expect((await stage.token('app')).status?.token).to.be.an('object');
    });

    it('tries it in time though the RegistryToken is gone that was to', async () => {
      await stage.putToken('next');
      await stage.clock.advance(SECOND);
      await stage.client.delete(REGISTRY_TOKENS, { namespace: NAMESPACE, name: 'app' });
      await stage.clock.advance(SECOND);
      stage.outage = undefined;
      await stage.clock.advance(MINUTE);
      expect((await stage.token('next')).status?.token).to.be.an('object');
    });

    it('tries it before its time for whoever asks for a token now', async () => {
      const value = { [ROTATE_ANNOTATION]: 'now' };
      await stage.client.jsonPatch(REGISTRY_TOKENS, { namespace: NAMESPACE, name: 'app' }, [
        { op: 'add', path: '/metadata/annotations', value },
      ]);
      await stage.clock.advance(SECOND);
      expect(stage.did).to.include('try us-south now');
    });
  });

  it('sweeps nothing where that is off', async () => {
    await stage.putAccount();
    stage.begin({ sweep: 'off' });
    await stage.clock.advance(10 * MINUTE);
    expect(stage.did.filter((each) => each.startsWith('list'))).to.deep.equal([]);
  });

  it('ends once its last events are written', async () => {
    await stage.putAccount();
    const gate = Promise.withResolvers<void>();
    let written = 0;
    stage.intercept = ({ method, path }) => {
      if (method !== 'POST' || !path.endsWith('/events')) return undefined;
      return gate.promise.then(() => void written++);
    };
    const { led } = stage.begin();
    await stage.clock.advance(10 * SECOND);
    stage.stop.abort();
    let ended = false;
    const ending = led.then(() => (ended = true));
    await settle();
    expect(ended).to.equal(false);
    gate.resolve();
    await ending;
    expect(written).to.be.greaterThan(0);
  });

  it('leaves a registry that hangs no more than three quarters of its workers', async () => {
    await stage.putAccount();
    for (let n = 0; n < 8; n++) await stage.putToken(`app-${n}`);
    await stage.putToken('last', { spec: { region: 'eu-de' } });
    stage.hanging.add('us-south');
    stage.begin({ workers: 4 });
    await stage.clock.advance(MINUTE);
    expect(times('mint in us-south')).to.equal(3);
    expect((await stage.token('last')).status?.token).to.include({ region: 'eu-de' });
  });

  describe('while a namespace can not be read', () => {
    let forbidden: boolean;
    beforeEach(async () => {
      forbidden = true;
      await stage.putAccount();
      await stage.client.create(NAMESPACES, {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'other' },
      });
      await stage.putToken('app', {}, 'other');
      await stage.putToken('app');
      stage.intercept = (call) =>
        forbidden && call.method === 'GET' && call.path.endsWith('/namespaces/other/secrets')
          ? Promise.reject(refuse(call, 403, 'Forbidden'))
          : undefined;
      stage.begin({ watchNamespaces: [NAMESPACE, 'other'] });
      await stage.clock.advance(MINUTE);
    });

    it('works on RegistryTokens of the others alone, and sweeps nothing', async () => {
      expect((await stage.token('app')).status?.token).to.be.an('object');
      expect((await stage.token('app', 'other')).status).to.equal(undefined);
      expect(stage.did.filter((each) => each.startsWith('list'))).to.deep.equal([]);
    });

    it('goes on with both within two minutes after it can be', async () => {
      forbidden = false;
      await stage.clock.advance(2 * MINUTE);
      expect((await stage.token('app', 'other')).status?.token).to.be.an('object');
      expect(times('list in us-south')).to.equal(1);
    });
  });

  describe('evicts pods that came before their Secret was good', () => {
    const evictions = (): string[] => stage.calls.filter((call) => call.endsWith('/eviction'));
    const putPod = async (): Promise<void> => {
      // Its owner is there, or it would be collected.
      const { apiVersion, kind, metadata } = await stage.client.get(REGISTRY_ACCOUNTS, { name: 'default' });
      const owner = { apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true };
      const { status, ...pod } = aPod();
      const name = { namespace: NAMESPACE, name: pod.metadata.name };
      await stage.client.create(PODS, { ...pod, metadata: { ...name, ownerReferences: [owner] } });
      const patch = [{ op: 'add' as const, path: '/status', value: status }];
      await stage.client.jsonPatch(PODS, name, patch, { subresource: 'status' });
    };

    for (const evictPods of [true, false])
      it(evictPods ? 'as long as it is to' : 'but not when it is not to', async () => {
        await stage.putAccount();
        await putPod();
        await stage.clock.advance(MINUTE);
        await stage.putToken('app');
        stage.begin({ evictPods });
        await stage.clock.advance(10 * MINUTE);
        expect(evictions()).to.have.length(evictPods ? 1 : 0);
      });
  });

  describe('keeps in ServiceAccounts that it could not release', () => {
    const name = { namespace: NAMESPACE, name: 'builder' };
    const pullSecrets = async (): Promise<(string | undefined)[]> => {
      const { imagePullSecrets = [] } = await stage.client.get<ServiceAccount & KubeObject>(
        SERVICE_ACCOUNTS,
        name,
      );
      return imagePullSecrets.map((each) => each.name);
    };
    beforeEach(async () => {
      await stage.putAccount();
      await stage.client.create(SERVICE_ACCOUNTS, {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: name,
      });
      await stage.putToken('another');
      await stage.putToken('app', {
        spec: { serviceAccounts: ['builder'], deletionPolicy: 'Retain' },
      });
      stage.begin();
      await stage.clock.advance(MINUTE);
      expect(await pullSecrets()).to.deep.equal(['app']);
      // It may not be changed while the RegistryToken goes.
      stage.intercept = (call) =>
        call.method === 'PATCH' && call.path.endsWith('/serviceaccounts/builder')
          ? Promise.reject(refuse(call, 403, 'Forbidden'))
          : undefined;
      await stage.client.delete(REGISTRY_TOKENS, { namespace: NAMESPACE, name: 'app' });
      await stage.clock.advance(MINUTE);
      stage.intercept = () => undefined;
    });
    const touch = async (): Promise<void> => {
      await stage.client.jsonPatch(SERVICE_ACCOUNTS, name, [
        { op: 'add', path: '/metadata/labels', value: { touched: 'true' } },
      ]);
      await stage.clock.advance(MINUTE);
    };

    it('a Secret that outlives its RegistryToken', async () => {
      await touch();
      expect(await pullSecrets()).to.deep.equal(['app']);
    });

    it('nothing of a Secret that is gone after its RegistryToken', async () => {
      await stage.client.delete(SECRETS, { namespace: NAMESPACE, name: 'app' });
      await touch();
      expect(await pullSecrets()).to.deep.equal([]);
    });
  });
});
