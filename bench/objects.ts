import { randomUUID } from 'node:crypto';
import type { RegistryToken as TokenAtRegistry } from '../sandbox/registries/ibm-registry-tokens/registry-token.ts';
import { API_VERSION } from '../src/api/names.ts';
import type { Manifest } from '../src/kube/client/manifest.ts';
import { NAMESPACE_PREFIX } from './cluster/cluster.ts';
import { ACCOUNT_ID } from './registry/registry-process.ts';

/** So many namespaces share what there is. */
export const NAMESPACES_USED = 10;
/** Bytes of a foreign Secret's payload. */
const FOREIGN_PAYLOAD = 3_000;

/** The namespace of the object of that number. */
export const namespaceOf = (n: number): string => `${NAMESPACE_PREFIX}${n % NAMESPACES_USED}`;

/** RegistryTokens that nobody has looked at yet, as kubectl made them. */
export function* newTokens(count: number): Generator<Manifest> {
  for (let n = 0; n < count; n++)
    yield {
      apiVersion: API_VERSION,
      kind: 'RegistryToken',
      metadata: { ...origin('app', n, API_VERSION, { 'f:spec': { 'f:lifetime': {} } }), generation: 1 },
      spec: {
        access: 'ReadOnly',
        accountRef: { name: 'default' },
        deletionPolicy: 'Delete',
        lifetime: '24h',
      },
    };
}

/** Secrets that the operator has nothing to do with. */
export function* foreignSecrets(count: number): Generator<Manifest> {
  const payload = Buffer.from('x'.repeat(FOREIGN_PAYLOAD)).toString('base64');
  for (let n = 0; n < count; n++)
    yield {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: origin('foreign', n, 'v1', { 'f:data': { 'f:payload': {} } }),
      type: 'Opaque',
      data: { payload },
    };
}

/** Tokens of others in a registry's list. */
export function foreignTokens(count: number): TokenAtRegistry[] {
  const value = 'v'.repeat(420);
  return Array.from({ length: count }, (_, n) => ({
    id: randomUUID(),
    account: ACCOUNT_ID,
    description: `made by hand, number ${n}`,
    access: 'ReadOnly',
    issuedAt: 0,
    expiresAt: null,
    value,
  }));
}

/** The metadata that a create gives. */
function origin(prefix: string, n: number, apiVersion: string, fieldsV1: object): Manifest['metadata'] {
  const time = new Date().toISOString().replace(/\.\d+/, '');
  const entry = {
    manager: 'kubectl-create',
    operation: 'Update',
    apiVersion,
    time,
    fieldsType: 'FieldsV1',
    fieldsV1,
  };
  return {
    name: `${prefix}-${n}`,
    namespace: namespaceOf(n),
    uid: randomUUID(),
    creationTimestamp: time,
    managedFields: [entry],
  };
}
