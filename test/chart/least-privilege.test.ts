import { expect } from 'chai';
import { REGISTRY_ACCOUNTS, REGISTRY_TOKENS } from '../../src/api/resources.ts';
import { sleep, systemClock } from '../../src/common/clock.ts';
import type { KubeObject, ObjectName } from '../../src/common/objects.ts';
import { EVENTS, LEASES, SECRETS, SERVICE_ACCOUNTS } from '../../src/kube/client/resources.ts';
import type { RegistryAccount } from '../../src/api/registry-account.ts';
import { KubeError } from '../../src/kube/client/errors.ts';
import type { ServiceAccount } from '../../src/token/workloads/service-accounts.ts';
import { describeHelm, NAMESPACE, type Values } from './support/helm.ts';
import { createFailingPod } from './support/failing-pod.ts';
import { API_KEYS, HOST, Installation } from './support/installation.ts';
import { granted } from './support/permissions.ts';
import { Rights } from './support/rights.ts';

interface Mode {
  name: string;
  values: Values;
  /** Whether the operator may work in a namespace that no values name. */
  everywhere: boolean;
  /** Whether it may evict pods. */
  evicting: boolean;
}

const MODES: Mode[] = [
  { name: 'all namespaces', values: {}, everywhere: true, evicting: false },
  {
    name: 'named namespaces, evicting pods',
    values: { scope: { namespaces: ['team-a', 'team-b'] }, operator: { evictPods: true } },
    everywhere: false,
    evicting: true,
  },
];

/** Never granted anywhere: verb, resource, and where. */
const REFUSED: [string, string, string?][] = [
  ['create', 'serviceaccounts/token', 'team-a'],
  ['create', 'serviceaccounts/token', NAMESPACE],
  ['create', 'serviceaccounts', 'team-a'],
  ['update', 'serviceaccounts', 'team-a'],
  ['delete', 'serviceaccounts', 'team-a'],
  ['update', 'secrets', 'team-a'],
  ['deletecollection', 'secrets', 'team-a'],
  ['create', 'registrytokens.pullsecrets.dev', 'team-a'],
  ['update', 'registrytokens.pullsecrets.dev', 'team-a'],
  ['delete', 'registrytokens.pullsecrets.dev', 'team-a'],
  ['get', 'clusterregistrytokens.pullsecrets.dev'],
  ['list', 'clusterregistrytokens.pullsecrets.dev'],
  ['watch', 'clusterregistrytokens.pullsecrets.dev'],
  ['patch', 'clusterregistrytokens.pullsecrets.dev'],
  ['patch', 'clusterregistrytokens.pullsecrets.dev/status'],
  ['update', 'clusterregistrytokens.pullsecrets.dev/finalizers'],
  ['patch', 'registryaccounts.pullsecrets.dev'],
  ['create', 'registryaccounts.pullsecrets.dev'],
  ['delete', 'registryaccounts.pullsecrets.dev'],
  ['delete', 'leases.coordination.k8s.io', NAMESPACE],
  ['get', 'leases.coordination.k8s.io/another', NAMESPACE],
  ['create', 'leases.coordination.k8s.io', 'team-a'],
  ['delete', 'events.events.k8s.io', 'team-a'],
  ['list', 'events.events.k8s.io', 'team-a'],
  ['list', 'pods', 'team-c'],
  ['watch', 'pods', 'team-a'],
  ['create', 'pods/eviction', 'team-c'],
  ['delete', 'pods', 'team-a'],
  ['create', 'pods', 'team-a'],
  ['create', 'pods/exec', 'team-a'],
  ['list', 'configmaps', 'team-a'],
  ['list', 'nodes'],
  ['patch', 'namespaces'],
  ['create', 'namespaces'],
  ['get', 'clusterroles.rbac.authorization.k8s.io'],
  ['create', 'rolebindings.rbac.authorization.k8s.io', 'team-a'],
  ['impersonate', 'users'],
  ['get', 'customresourcedefinitions.apiextensions.k8s.io'],
  ['*', '*'],
];

/** Granted in watched namespaces only. */
const BY_NAMESPACE: [string, string][] = [
  ['get', 'secrets'],
  ['list', 'secrets'],
  ['create', 'secrets'],
  ['patch', 'secrets'],
  ['delete', 'secrets'],
  ['list', 'registrytokens.pullsecrets.dev'],
  ['patch', 'registrytokens.pullsecrets.dev'],
  ['patch', 'registrytokens.pullsecrets.dev/status'],
  ['create', 'events.events.k8s.io'],
];

describeHelm(
  'chart: the operator under its own roles',
  (helm) => {
    for (const { name, values, everywhere, evicting } of MODES) {
      describe(name, function () {
        this.timeout(120_000);
        let installation: Installation;
        let rights: Rights;
        const pull: ObjectName = { namespace: 'team-a', name: 'pull' };

        before(async function () {
          installation = await Installation.onRealServer(this, helm);
          rights = new Rights(installation.client);
          await installation.createNamespaces(NAMESPACE, 'team-a', 'team-b', 'team-c');
          await installation.setKey(API_KEYS[0]);
          await installation.upgrade(values);
          await installation.upgrade({
            ...values,
            accounts: { default: installation.account() },
            tokens: { pull: { ...pull, spec: { rotation: { gracePeriod: '0s' } } } },
          });
          await installation.startOperator();
        });

        after(async () => {
          await installation?.close();
        });

        it('issues a token and writes its Secret', async () => {
          const token = await installation.whenReady(pull);
          expect(installation.counts.issued).to.equal(1);
          expect(token.metadata.finalizers).to.deep.equal(['pullsecrets.dev/revoke']);
          expect((await installation.secret(pull)).data).to.have.property('.dockerconfigjson');
        });

        it('leads, and says how its account is', async () => {
          const lease = await installation.client.get<KubeObject & { spec: object }>(LEASES, {
            namespace: NAMESPACE,
            name: 'registry-token-operator',
          });
          expect(lease.spec).to.have.property('holderIdentity').that.is.a('string');
          await installation.eventually('the account is Ready', async () => {
            const { status } = await installation.client.get<RegistryAccount>(REGISTRY_ACCOUNTS, {
              name: 'default',
            });
            const ready = status?.conditions?.find(({ type }) => type === 'Ready');
            return ready?.status === 'True' ? { value: ready } : { seen: JSON.stringify(status ?? {}) };
          });
        });

        it('rotates on request, in the same Secret', async () => {
          const before = await installation.secret(pull);
          const { issued, revoked } = installation.counts;
          await installation.kubectl(
            '--namespace team-a annotate registrytoken pull pullsecrets.dev/rotate=now',
          );
          await installation.whenReady(pull, ({ status }) => status?.lastHandledRotate === 'now');
          const after = await installation.secret(pull);
          expect(after.metadata.uid).to.equal(before.metadata.uid);
          expect(after.data).not.to.deep.equal(before.data);
          expect(installation.counts.issued - issued).to.equal(1);
          await installation.eventually('the predecessor is revoked', async () =>
            installation.counts.revoked > revoked ? { value: true } : { seen: 'it is not' },
          );
        });

        it('repairs a deleted Secret without creating a token', async () => {
          const { data } = await installation.secret(pull);
          const { issued } = installation.counts;
          await installation.client.delete(SECRETS, pull);
          const restored = await installation.eventually('the Secret is back', async () => {
            try {
              return { value: await installation.secret(pull) };
            } catch (error) {
              if (error instanceof KubeError && error.isNotFound) return { seen: 'nothing' };
              throw error;
            }
          });
          expect(restored.data).to.deep.equal(data);
          expect(installation.counts.issued).to.equal(issued);
        });

        it('writes events about tokens, and may write those about accounts', async () => {
          await installation.eventually('the token has events', async () => {
            const events = await installation.client.listAll<KubeObject & { regarding: { kind: string } }>(
              EVENTS,
              { namespace: pull.namespace },
            );
            const [event] = events.filter(({ regarding }) => regarding.kind === 'RegistryToken');
            return event ? { value: event } : { seen: JSON.stringify(events) };
          });
          // Releases before 1.21 take events about cluster-scoped objects in kube-system only.
          expect(await rights.can('create', 'events.events.k8s.io', 'default')).to.equal(true);
          expect(await rights.can('create', 'events.events.k8s.io', 'kube-system')).to.equal(everywhere);
        });

        it(`${everywhere ? 'looks after' : 'leaves alone'} a namespace that no values name`, async () => {
          const elsewhere = { namespace: 'team-c', name: 'pull' };
          await installation.client.create(REGISTRY_TOKENS, {
            apiVersion: 'pullsecrets.dev/v1alpha1',
            kind: 'RegistryToken',
            metadata: elsewhere,
            spec: {},
          });
          if (everywhere) await installation.whenReady(elsewhere);
          else expect((await installation.token(elsewhere)).status).to.equal(undefined);
          for (const [verb, resource] of BY_NAMESPACE) {
            expect(await rights.can(verb, resource, 'team-a'), `${verb} ${resource} in team-a`).to.equal(
              true,
            );
            expect(await rights.can(verb, resource, 'team-c'), `${verb} ${resource} in team-c`).to.equal(
              everywhere,
            );
          }
        });

        it('puts the Secret into a ServiceAccount', async () => {
          await installation.kubectl('--namespace team-a create serviceaccount builder');
          const spec = { serviceAccounts: ['builder'] };
          await installation.client.mergePatch(REGISTRY_TOKENS, pull, { spec });
          await installation.eventually('the ServiceAccount has it', async () => {
            const builder = { namespace: 'team-a', name: 'builder' };
            const account = await installation.client.get<ServiceAccount>(SERVICE_ACCOUNTS, builder);
            const found = account.imagePullSecrets?.some((entry) => entry.name === pull.name);
            return found ? { value: true } : { seen: JSON.stringify(account) };
          });
        });

        it(`${evicting ? 'evicts' : 'leaves alone'} a pod that could not pull before its Secret was good`, async () => {
          const late = { namespace: 'team-a', name: 'late' };
          const pod = { namespace: 'team-a', name: 'waiting' };
          await createFailingPod(installation.client, pod, late.name, HOST);
          await installation.client.create(REGISTRY_TOKENS, {
            apiVersion: 'pullsecrets.dev/v1alpha1',
            kind: 'RegistryToken',
            metadata: late,
            spec: {},
          });
          await installation.whenReady(late);
          const left = (): Promise<string> =>
            installation.kubectl('--namespace team-a get pod waiting --ignore-not-found --output name');
          if (evicting) {
            await installation.eventually('the pod is gone', async () =>
              (await left()) === '' ? { value: true } : { seen: 'it is there' },
            );
          } else {
            // Longer than an operator that evicts would wait.
            await sleep(systemClock, 3_000);
            expect(await left()).to.equal('pod/waiting\n');
          }
          for (const [verb, resource] of [
            ['list', 'pods'],
            ['create', 'pods/eviction'],
          ] as const) {
            expect(await rights.can(verb, resource, 'team-a'), `${verb} ${resource}`).to.equal(evicting);
          }
          await installation.kubectl('--namespace team-a delete registrytoken late --timeout=20s');
        });

        it('deletes the Secret and revokes the tokens of a deleted RegistryToken', async () => {
          await installation.kubectl('--namespace team-a delete registrytoken pull --timeout=20s');
          const remaining = installation.service.tokens().length;
          expect(remaining).to.equal(everywhere ? 1 : 0);
          const left = await installation.kubectl('--namespace team-a get secret pull --ignore-not-found');
          expect(left).to.equal('');
        });

        it('was refused nothing that it asked for', async () => {
          expect(await installation.log()).not.to.match(/forbidden|cannot (get|list|watch|create|patch)/i);
        });

        it('may do everything that its roles say', async () => {
          const watched = (values['scope'] as { namespaces: string[] } | undefined)?.namespaces ?? [];
          const permissions = [...new Set(granted(await helm.render(values), watched))];
          expect(await rights.held(permissions)).to.deep.equal(permissions);
        });

        for (const [verb, resource, namespace] of REFUSED) {
          it(`may not ${verb} ${resource}${namespace ? ` in ${namespace}` : ''}`, async () => {
            expect(await rights.can(verb, resource, namespace)).to.equal(false);
          });
        }
      });
    }
  },
  [4],
);
