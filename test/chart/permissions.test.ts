import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { describeHelm, find, NAMESPACE, type Rendered } from './support/helm.ts';
import { documented, granted, type Permission } from './support/permissions.ts';
import { VALUE_SETS } from './support/value-sets.ts';

const text = await readFile(new URL('../../docs/security.md', import.meta.url), 'utf8');
/** How rows begin that hold only with a value. */
const OPTIONAL = 'watched namespace, only with ';
const table = documented(text).filter((permission) => !permission.startsWith(OPTIONAL));
/** What a value of `operator` adds. */
const addedBy = (value: string): string[] => {
  const beginning = `${OPTIONAL}\`operator.${value}\`: `;
  return documented(text)
    .filter((permission) => permission.startsWith(beginning))
    .map((permission) => permission.replace(beginning, 'watched namespace: '));
};
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

    for (const [what, value, expected] of [
      ['evict', 'evictPods', ['create pods/eviction', 'get pods', 'list pods']],
      ['count', 'countPods', ['list pods', 'watch pods']],
    ] as const)
      it(`reach pods where it is to ${what} them, as far as that needs`, async () => {
        const plain = sorted(granted(await helm.render(), []));
        const given = sorted(granted(await helm.render({ operator: { [value]: true } }), []));
        const added = given.filter((permission) => !plain.includes(permission));
        expect(added).to.deep.equal(sorted(addedBy(value)));
        expect(added).to.deep.equal(expected.map((each) => `watched namespace: ${each}`));
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
