import { find, NAMESPACE, type Rendered } from './helm.ts';

export type Place = 'watched namespace' | 'cluster' | "operator's namespace" | 'namespace `default`';

/** One verb on one resource, as a line of text that compares and sorts. */
export type Permission = string;

interface Rule {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}

interface RoleRef {
  kind: string;
  name: string;
}

const permission = (place: string, resource: string, name: string, verb: string): Permission =>
  `${place}: ${verb} ${resource}${name}`;

/** What the table in a Markdown text grants: where, resource, verbs, why. */
export function documented(markdown: string): Permission[] {
  const row = /^\| (\S[^|]*?) +\| `([a-z./0-9]+)`(?: named `([^`]+)`)? +\| ([a-z, ]+?) +\|/gm;
  return [...markdown.matchAll(row)].flatMap(([, place = '', resource = '', name, verbs = '']) =>
    verbs.split(', ').map((verb) => permission(place, resource, name ? ` ${name}` : '', verb)),
  );
}

/** What the chart's roles grant the operator through their bindings. */
export function granted(objects: readonly Rendered[], watched: readonly string[]): Permission[] {
  return objects
    .filter(({ kind }) => /^(Cluster)?RoleBinding$/.test(kind))
    .flatMap((binding) => {
      const { kind, name } = binding['roleRef'] as RoleRef;
      const { namespace } = binding.metadata;
      const role = objects.filter((object) => object.kind === kind && object.metadata.name === name);
      const same =
        role.find((object) => object.metadata.namespace === namespace) ?? find(objects, kind, name);
      return permissionsOf(same['rules'] as Rule[], placeOf(name, namespace, watched));
    });
}

function placeOf(role: string, namespace: string | undefined, watched: readonly string[]): Place {
  if (namespace === undefined) return role.endsWith('-tokens') ? 'watched namespace' : 'cluster';
  if (watched.includes(namespace) && role.endsWith('-tokens')) return 'watched namespace';
  return namespace === NAMESPACE ? "operator's namespace" : 'namespace `default`';
}

function permissionsOf(rules: readonly Rule[], place: Place): Permission[] {
  return rules.flatMap(({ apiGroups, resources, resourceNames = [''], verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        resourceNames.flatMap((name) =>
          verbs.map((verb) => permission(place, title(group, resource), name && ` ${name}`, verb)),
        ),
      ),
    ),
  );
}

function title(group: string, resource: string): string {
  const [plural = '', subresource] = resource.split('/');
  return `${plural}${group && `.${group}`}${subresource ? `/${subresource}` : ''}`;
}
