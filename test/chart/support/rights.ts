import type { KubeObject, Resource } from '../../../src/common/objects.ts';
import type { KubeClient } from '../../../src/kube/client/client.ts';
import { NAMESPACE } from './helm.ts';
import { SERVICE_ACCOUNT } from './installation.ts';
import type { Permission } from './permissions.ts';

const SUBJECT_ACCESS_REVIEWS: Resource = {
  group: 'authorization.k8s.io',
  version: 'v1',
  plural: 'subjectaccessreviews',
  kind: 'SubjectAccessReview',
  namespaced: false,
};
const GROUPS = ['system:serviceaccounts', `system:serviceaccounts:${NAMESPACE}`, 'system:authenticated'];

/** The name of one object, where a permission is for that alone; anything else behind a slash is a subresource. */
const NAMED: ReadonlySet<string> = new Set(['another', 'registry-token-operator']);
const PERMISSION = /^(.+): (\S+) (\S+?)(?: (\S+))?$/;

/** Where a permission is tried. */
const PLACES: Readonly<Record<string, string | undefined>> = {
  'watched namespace': 'team-a',
  "operator's namespace": NAMESPACE,
  'namespace `default`': 'default',
};

/** What an API server lets the operator's ServiceAccount do. */
export class Rights {
  readonly #client: KubeClient;

  /** @param client of somebody who may ask about others */
  constructor(client: KubeClient) {
    this.#client = client;
  }

  /** @param resource `leases.coordination.k8s.io`, or with the name of an object or a subresource behind a slash */
  async can(verb: string, resource: string, namespace = ''): Promise<boolean> {
    const [title = '', rest = ''] = resource.split('/');
    const [plural = '', ...group] = title.split('.');
    const part = NAMED.has(rest) ? { name: rest } : { subresource: rest };
    const resourceAttributes = {
      verb,
      group: title === '*' ? '*' : group.join('.'),
      resource: plural,
      namespace,
      ...part,
    };
    const { status } = await this.#client.create<KubeObject & { status?: { allowed: boolean } }>(
      SUBJECT_ACCESS_REVIEWS,
      {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        metadata: { name: '' },
        spec: { user: SERVICE_ACCOUNT, groups: GROUPS, resourceAttributes },
      },
    );
    return status?.allowed ?? false;
  }

  /** Those of the permissions that it has. */
  async held(permissions: Iterable<Permission>): Promise<Permission[]> {
    const held = [];
    for (const permission of permissions) {
      const [, place = '', verb = '', resource = '', name] = PERMISSION.exec(permission) ?? [];
      const what = name === undefined ? resource : `${resource}/${name}`;
      if (await this.can(verb, what, PLACES[place])) held.push(permission);
    }
    return held;
  }
}
