import { randomUUID } from 'node:crypto';
import type { RegistryToken as TokenAtRegistry } from '../sandbox/registries/ibm-registry-tokens/registry-token.ts';
import { readTokenSpec, type RegistryToken } from '../src/api/registry-token.ts';
import { toTime } from '../src/api/syntax/time.ts';
import type { KubeObject } from '../src/common/objects.ts';
import type { Manifest } from '../src/kube/client/manifest.ts';
import { rotationTime } from '../src/token/lifecycle/schedule.ts';
import { describe } from '../src/token/sweep/tag.ts';
import { namespaceOf } from './objects.ts';
import { ACCOUNT_ID } from './registry/registry-process.ts';

/** What the operator made of one RegistryToken. */
export interface Issued {
  token: RegistryToken;
  secret: KubeObject;
  clusterId: string;
}

/** As many of it as are wanted, as if each had been issued. */
export interface Copies {
  tokens: Manifest[];
  secrets: Manifest[];
  atRegistry: TokenAtRegistry[];
}

/**
 * Makes copies of what was issued: other names and uids, other tokens. Its name must not be part of anything else in there. The values
 * are all the same; the operator never compares those of different RegistryTokens.
 */
export function copiesOf(issued: Issued, count: number): Copies {
  const { token, secret, clusterId } = issued;
  const record = token.status?.token;
  if (!record) throw new TypeError('no token was issued');
  const copies: Copies = { tokens: [], secrets: [], atRegistry: [] };
  const texts = [token, secret].map((object) => JSON.stringify(withoutVersion(object)));
  const { name, namespace = '' } = token.metadata;
  for (let n = 0; n < count; n++) {
    const [uid, id, secretUid] = [randomUUID(), randomUUID(), randomUUID()];
    const [copy, itsSecret] = texts.map(
      (text) =>
        JSON.parse(
          text
            .replaceAll(token.metadata.uid, uid)
            .replaceAll(secret.metadata.uid, secretUid)
            .replaceAll(record.id, id)
            .replaceAll(name, `${name}-${n}`)
            .replaceAll(`"${namespace}"`, `"${namespaceOf(n)}"`),
        ) as Manifest,
    );
    if (!copy || !itsSecret) continue;
    copies.tokens.push(rescheduled(copy, uid));
    copies.secrets.push(itsSecret);
    const tag = { clusterId, uid, revision: record.revision, nonce: 'copycopy' };
    copies.atRegistry.push({
      id,
      account: ACCOUNT_ID,
      description: describe('', tag),
      access: record.access,
      issuedAt: Date.parse(record.issuedAt),
      expiresAt: record.expiresAt === undefined ? null : Date.parse(record.expiresAt),
      value: 'a-value',
    });
  }
  return copies;
}

/** When a token is rotated depends on the uid of its RegistryToken. */
function rescheduled(copy: Manifest, uid: string): Manifest {
  const token = copy as unknown as RegistryToken;
  const { status = {} } = token;
  const at = status.token && rotationTime(status.token, readTokenSpec(token).rotation, uid);
  return { ...copy, status: { ...status, ...(at !== undefined && { nextRotationTime: toTime(at) }) } };
}

/** As it is stored. */
function withoutVersion(object: KubeObject): object {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
