import { expect } from 'chai';
import { APPLY_PATCH, MERGE_PATCH, type Body } from './support/api.ts';
import { contract, eventually, since } from './support/contract.ts';

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const RBAC = 'rbac.authorization.k8s.io';

interface Kind {
  group: string;
  kind: string;
  plural: string;
  /** In `namespace` unless it is cluster-scoped. */
  namespaced: boolean;
  /** Kubernetes' minor version that first has it. */
  minor: number;
  /** Beside metadata. */
  fields: object;
  /** What an update changes. */
  change: object;
  /** Whether changes are counted. */
  generation: boolean;
  columns: string[];
}

const roleRef = { kind: 'ClusterRole', name: 'view', apiGroup: RBAC };
const policy = {
  matchConstraints: {
    resourceRules: [
      { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] },
    ],
  },
  validations: [{ expression: "object.metadata.name != 'refused'" }],
};

const KINDS: Kind[] = [
  ...[true, false].flatMap((namespaced): Kind[] => {
    const prefix = namespaced ? '' : 'Cluster';
    const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }];
    const common = { group: RBAC, namespaced, minor: 8, generation: false };
    return [
      {
        ...common,
        kind: `${prefix}Role`,
        plural: `${prefix.toLowerCase()}roles`,
        fields: { rules },
        change: { rules: [] },
        columns: ['Name', 'Created At'],
      },
      {
        ...common,
        kind: `${prefix}RoleBinding`,
        plural: `${prefix.toLowerCase()}rolebindings`,
        fields: { roleRef, subjects: [{ kind: 'User', name: 'me' }] },
        change: { subjects: [{ kind: 'User', name: 'you' }] },
        columns: ['Name', 'Role', 'Age'],
      },
    ];
  }),
  {
    group: '',
    kind: 'Service',
    plural: 'services',
    namespaced: true,
    minor: 1,
    fields: { spec: { ports: [{ name: 'http', port: 80, protocol: 'TCP' }], selector: { app: 'web' } } },
    change: { spec: { selector: { app: 'other' } } },
    generation: false,
    columns: ['Name', 'Type', 'Cluster-IP', 'External-IP', 'Port(s)', 'Age', 'Selector'],
  },
  {
    group: 'networking.k8s.io',
    kind: 'NetworkPolicy',
    plural: 'networkpolicies',
    namespaced: true,
    minor: 7,
    fields: { spec: { podSelector: { matchLabels: { app: 'web' } }, egress: [{}] } },
    change: { spec: { podSelector: { matchLabels: { app: 'other' } } } },
    generation: true,
    columns: ['Name', 'Pod-Selector', 'Age'],
  },
  {
    group: 'admissionregistration.k8s.io',
    kind: 'ValidatingAdmissionPolicy',
    plural: 'validatingadmissionpolicies',
    namespaced: false,
    minor: 30,
    fields: { spec: policy },
    change: { spec: { failurePolicy: 'Ignore' } },
    generation: true,
    columns: ['Name', 'Validations', 'ParamKind', 'Age'],
  },
  {
    group: 'admissionregistration.k8s.io',
    kind: 'ValidatingAdmissionPolicyBinding',
    plural: 'validatingadmissionpolicybindings',
    namespaced: false,
    minor: 30,
    fields: { spec: { policyName: 'absent', validationActions: ['Audit'] } },
    change: { spec: { validationActions: ['Warn'] } },
    generation: true,
    columns: ['Name', 'PolicyName', 'ParamRef', 'Age'],
  },
];

contract('kinds that a chart brings', (api) => {
  let namespace: string;
  before(async () => {
    namespace = await api().namespace();
  });

  const collection = ({ group, plural, namespaced }: Kind): string =>
    `${group ? `/apis/${group}` : '/api'}/v1${namespaced ? `/namespaces/${namespace}` : ''}/${plural}`;
  const object = ({ group, kind, fields }: Kind, name: string): Body => ({
    apiVersion: group ? `${group}/v1` : 'v1',
    kind,
    metadata: { name },
    ...fields,
  });
  const made = async (kind: Kind, more: object = {}): Promise<{ path: string; body: Body }> => {
    const name = api().name('made');
    const { status, body } = await api().post(collection(kind), { ...object(kind, name), ...more });
    expect(status, JSON.stringify(body)).to.equal(201);
    return { path: `${collection(kind)}/${name}`, body };
  };
  const named = (name: string): Kind => KINDS.find(({ kind }) => kind === name)!;

  for (const each of KINDS) {
    describe(each.kind, () => {
      before(function () {
        since(this, api(), each.minor);
      });

      it('is told by discovery', async () => {
        const { group, plural, kind, namespaced } = each;
        const { body } = await api().get(group ? `/apis/${group}/v1` : '/api/v1');
        const resource = body.resources.find(({ name }: Body) => name === plural);
        expect(resource).to.include({ kind, namespaced });
        expect(resource.verbs).to.include.members(['create', 'delete', 'get', 'list', 'patch', 'watch']);
      });

      it('is created, listed, changed and deleted', async () => {
        const { path, body } = await made(each);
        expect(body.metadata.generation).to.equal(each.generation ? 1 : undefined);
        const list = await api().get(collection(each));
        expect(list.body.kind).to.equal(`${each.kind}List`);
        expect(list.body.items.map(({ metadata }: Body) => metadata.uid)).to.include(body.metadata.uid);
        const changed = await api().patch(path, MERGE_PATCH, each.change);
        expect(changed.status, JSON.stringify(changed.body)).to.equal(200);
        expect(changed.body.metadata.generation).to.equal(each.generation ? 2 : undefined);
        expect((await api().delete(path)).status).to.equal(200);
        expect((await api().get(path)).status).to.equal(404);
      });

      it('is applied on the server, and again without a change', async () => {
        const name = api().name('applied');
        const path = `${collection(each)}/${name}`;
        const first = await api().apply(path, 'one', object(each, name));
        expect(first.status, JSON.stringify(first.body)).to.equal(201);
        const { body } = await api().apply(path, 'one', object(each, name));
        expect(body.metadata.resourceVersion).to.equal(first.body.metadata.resourceVersion);
      });

      if (each.namespaced)
        it('goes with its owner', async () => {
          const owner = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: api().name('owner') } };
          const maps = `/api/v1/namespaces/${namespace}/configmaps`;
          const { metadata } = (await api().post(maps, owner)).body;
          const { path, body } = await made(each);
          const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: metadata.name, uid: metadata.uid };
          await api().patch(path, MERGE_PATCH, { metadata: { ownerReferences: [reference] } });
          await api().delete(`${maps}/${metadata.name}`);
          await eventually(`${body.kind} is gone`, async () =>
            (await api().get(path)).status === 404 ? true : undefined,
          );
        });

      it('is shown by kubectl in its usual columns', async () => {
        const { body } = await api().get(collection(each), { accept: TABLE });
        const names = body.columnDefinitions
          .filter(({ name, priority }: Body) => priority === 0 || each.columns.includes(name))
          .map(({ name }: Body) => name);
        expect(names).to.deep.equal(each.columns);
      });
    });
  }

  describe('roles and their bindings', () => {
    it('have names that others may not', async () => {
      const { status } = await api().post(collection(named('Role')), object(named('Role'), 'system:Node'));
      expect(status).to.equal(201);
      const refused = await api().post(collection(named('Role')), object(named('Role'), 'a%b'));
      expect(refused.status).to.equal(422);
    });

    it('are created by an update', async () => {
      const role = object(named('Role'), 'put');
      expect((await api().put(`${collection(named('Role'))}/put`, role)).status).to.equal(201);
    });

    it('say whose group it is where that was left out', async () => {
      const { body } = await made(named('RoleBinding'), {
        roleRef: { kind: 'ClusterRole', name: 'view' },
        subjects: [
          { kind: 'User', name: 'me' },
          { kind: 'ServiceAccount', name: 'robot', namespace: 'default' },
        ],
      });
      expect(body.roleRef.apiGroup).to.equal(RBAC);
      expect(body.subjects).to.deep.equal([
        { apiGroup: RBAC, kind: 'User', name: 'me' },
        { kind: 'ServiceAccount', name: 'robot', namespace: 'default' },
      ]);
    });

    it('keep the role they bind', async () => {
      const { path } = await made(named('RoleBinding'));
      const { status, body } = await api().patch(path, MERGE_PATCH, { roleRef: { name: 'edit' } });
      expect(status).to.equal(422);
      expect(body.message).to.include('cannot change roleRef');
    });
  });

  describe('Services', () => {
    it('have an address, and keep it', async function () {
      since(this, api(), 23);
      const { path, body } = await made(named('Service'));
      expect(body.spec).to.deep.include({ type: 'ClusterIP', sessionAffinity: 'None' });
      expect(body.spec.clusterIP).to.match(/^(\d+\.){3}\d+$/);
      expect(body.spec.clusterIPs).to.deep.equal([body.spec.clusterIP]);
      const replaced = await api().put(path, object(named('Service'), body.metadata.name));
      expect(replaced.body.spec.clusterIP).to.equal(body.spec.clusterIP);
    });

    it('have none when they are headless', async function () {
      since(this, api(), 23);
      const spec = { clusterIP: 'None', ports: [{ port: 80 }] };
      const { body } = await made(named('Service'), { spec });
      expect(body.spec.clusterIP).to.equal('None');
      expect(body.spec.clusterIPs).to.deep.equal(['None']);
    });

    it('lead to the same port unless they say otherwise', async () => {
      const { body } = await made(named('Service'));
      expect(body.spec.ports).to.deep.equal([{ name: 'http', port: 80, protocol: 'TCP', targetPort: 80 }]);
    });

    it('have ports of several managers', async () => {
      const kind = named('Service');
      const name = api().name('ports');
      const port = (number: number): object => ({
        ...object(kind, name),
        spec: { ports: [{ name: `p${number}`, port: number, protocol: 'TCP' }] },
      });
      await api().apply(`${collection(kind)}/${name}`, 'one', port(80));
      const { body } = await api().patch(`${collection(kind)}/${name}`, APPLY_PATCH, port(90), {
        query: { fieldManager: 'two' },
      });
      expect(body.spec.ports.map((each: Body) => each.port)).to.deep.equal([80, 90]);
    });
  });

  describe('NetworkPolicies', () => {
    it('are about what they have rules for', async () => {
      const { body } = await made(named('NetworkPolicy'));
      expect(body.spec.policyTypes).to.deep.equal(['Ingress', 'Egress']);
      const { body: other } = await made(named('NetworkPolicy'), { spec: { podSelector: {} } });
      expect(other.spec.policyTypes).to.deep.equal(['Ingress']);
    });
  });

  describe('ValidatingAdmissionPolicies', () => {
    it('fail and match as Kubernetes has it unless they say otherwise', async function () {
      since(this, api(), 30);
      const { body } = await made(named('ValidatingAdmissionPolicy'));
      expect(body.spec.failurePolicy).to.equal('Fail');
      expect(body.spec.matchConstraints).to.deep.include({
        matchPolicy: 'Equivalent',
        namespaceSelector: {},
        objectSelector: {},
      });
      expect(body.spec.matchConstraints.resourceRules[0].scope).to.equal('*');
    });
  });
});
