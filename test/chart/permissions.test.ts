import { expect } from 'chai';
import { readPage } from '../support/pages.ts';
import { describeHelm, find, NAMESPACE, type Rendered } from './support/helm.ts';
import { documented, granted, type Permission } from './support/permissions.ts';
import { VALUE_SETS } from './support/value-sets.ts';

const text = await readPage('security.md');
/** Of a row that says so, only where a value switches it on. */
const CONDITIONAL = /, only with `operator\.(\w+)`/;
const table = documented(text).filter((permission) => !CONDITIONAL.test(permission));
/** What switching a value on grants. */
const grantedWith = (value: string): Permission[] =>
  documented(text)
    .filter((permission) => CONDITIONAL.exec(permission)?.[1] === value)
    .map((permission) => permission.replace(CONDITIONAL, ''));
const sorted = (permissions: readonly Permission[]): Permission[] => [...new Set(permissions)].sort();
const isRole = ({ kind }: Rendered): boolean => kind === 'Role' || kind === 'ClusterRole';

describeHelm(
  'chart: permissions',
  (helm) => {
    it('are those of the documentation, in named namespaces', async () => {
      const namespaces = ['team-a', 'team-b'];
      const objects = await helm.render({ scope: { namespaces } });
      expect(sorted(granted(objects, namespaces))).to.deep.equal(sorted(table));
      for (const namespace of namespaces) {
        const roles = objects.filter(
          ({ kind, metadata }) => kind === 'Role' && metadata.namespace === namespace,
        );
        expect(roles, namespace).to.have.length(1);
      }
    });

    it('are those of the documentation, in all namespaces', async () => {
      const everywhere = table.filter((permission) => !permission.startsWith('namespace `default`'));
      expect(sorted(granted(await helm.render(), []))).to.deep.equal(sorted(everywhere));
    });

    const OPTIONS: [string, Permission[]][] = [
      [
        'evictPods',
        [
          'watched namespace: create pods/eviction',
          'watched namespace: get pods',
          'watched namespace: list pods',
        ],
      ],
      ['countPods', ['watched namespace: list pods', 'watched namespace: watch pods']],
      [
        'clusterTokens',
        [
          'cluster: get clusterregistrytokens.pullsecrets.dev',
          'cluster: list clusterregistrytokens.pullsecrets.dev',
          'cluster: patch clusterregistrytokens.pullsecrets.dev',
          'cluster: patch clusterregistrytokens.pullsecrets.dev/status',
          'cluster: update clusterregistrytokens.pullsecrets.dev/finalizers',
          'cluster: watch clusterregistrytokens.pullsecrets.dev',
          'watched namespace: create registrytokens.pullsecrets.dev',
          'watched namespace: delete registrytokens.pullsecrets.dev',
        ],
      ],
    ];
    for (const [value, expected] of OPTIONS)
      it(`grow with operator.${value}, as documented`, async () => {
        const plain = sorted(granted(await helm.render(), []));
        const more = sorted(granted(await helm.render({ operator: { [value]: true } }), []));
        expect(more.filter((permission) => !plain.includes(permission))).to.deep.equal(expected);
        expect(sorted(grantedWith(value))).to.deep.equal(expected);
      });

    it('are for the operator alone', async () => {
      for (const values of [{}, VALUE_SETS['two namespaces'], VALUE_SETS['names and labels']]) {
        const objects = await helm.render(values);
        const account = find(objects, 'ServiceAccount').metadata.name;
        for (const binding of objects.filter(({ kind }) => kind.endsWith('RoleBinding'))) {
          expect(binding['subjects']).to.deep.equal([
            { kind: 'ServiceAccount', name: account, namespace: NAMESPACE },
          ]);
        }
      }
    });

    it('have no wildcard and no way to more permissions', async () => {
      for (const values of [{}, VALUE_SETS['two namespaces']]) {
        const rules = JSON.stringify((await helm.render(values)).filter(isRole).map((role) => role['rules']));
        expect(rules).not.to.include('*');
        expect(rules).not.to.match(/serviceaccounts\/|impersonate|escalate|"bind"|pods|roles/);
      }
    });
  },
  [4],
);
