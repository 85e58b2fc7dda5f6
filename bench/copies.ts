import { randomUUID } from 'node:crypto';
import type { RegistryToken as TokenAtRegistry } from '../sandbox/registries/ibm-registry-tokens/registry-token.ts';
import { readTokenSpec, type RegistryToken, type TokenRecord } from '../src/api/registry-token.ts';
import { toTime } from '../src/api/syntax/time.ts';
import type { KubeObject } from '../src/common/objects.ts';
import type { Manifest } from '../src/kube/client/manifest.ts';
import { rotationTime } from '../src/token/lifecycle/schedule.ts';
import type { Secret } from '../src/token/secret/secret.ts';
import { viewSecret } from '../src/token/secret/secret-view.ts';
import { writtenSecret } from '../src/token/secret/written-secret.ts';
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

/** When the token of a copy is to be rotated, by the copy's number; milliseconds since 1970. */
export type DueAt = (n: number) => number;

/**
 * Makes copies of what was issued: other names and uids, other tokens. Its name must not be part of anything else in there. The values
 * are all the same; the operator never compares those of different RegistryTokens.
 * @param dueAt unless given, as the token that was issued
 */
export function copiesOf(issued: Issued, count: number, dueAt?: DueAt): Copies {
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
    const scheduled = rescheduled(copy, uid, dueAt?.(n));
    const { issuedAt, expiresAt = '' } = recordOf(scheduled);
    copies.tokens.push(scheduled);
    copies.secrets.push(itsSecret);
    const tag = { clusterId, uid, revision: record.revision, nonce: 'copycopy' };
    copies.atRegistry.push({
      id,
      account: ACCOUNT_ID,
      description: describe('', tag),
      access: record.access,
      issuedAt: Date.parse(issuedAt),
      expiresAt: Date.parse(expiresAt) || null,
      value: 'a-value',
    });
  }
  return copies;
}

/**
 * A copy whose status knows its Secret as it is stored, as the operator writes it: a start then has no need to read the Secret.
 * @param version the resourceVersion that the copy's Secret was given
 * @throws TypeError when there is no such Secret, or it is not as the operator would have it
 */
export function withSecretWritten(
  copy: Manifest,
  secret: Manifest | undefined,
  version: string | undefined,
): Manifest {
  const token = copy as unknown as RegistryToken;
  const { status = {} } = token;
  const { host, token: record } = status;
  if (!secret || version === undefined || !record || host === undefined)
    throw new TypeError('the Secret of a copy was not written');
  const spec = readTokenSpec(token);
  const { metadata, ...content } = secret;
  const stored = { ...content, metadata: { ...metadata, resourceVersion: version } } as Secret;
  const view = viewSecret(stored, token, spec, [host]);
  const secretRef = writtenSecret(stored.metadata, view, { token, spec, host, tokenId: record.id });
  if (secretRef.appliedHash === undefined) throw new TypeError('the Secret of a copy is not as it is to be');
  return { ...copy, status: { ...status, secretRef } };
}

/** When a token is rotated depends on the uid of its RegistryToken, and on when it was issued. */
function rescheduled(copy: Manifest, uid: string, dueAt: number | undefined): Manifest {
  const moved = dueAt === undefined ? copy : later(copy, uid, dueAt);
  const token = moved as unknown as RegistryToken;
  const at = rotationTime(recordOf(moved), readTokenSpec(token).rotation, uid);
  const times = at !== undefined && { nextRotationTime: toTime(at) };
  return { ...moved, status: { ...token.status, ...times } };
}

/** @throws TypeError when it has no token */
function recordOf(manifest: Manifest): TokenRecord {
  const { status } = manifest as unknown as RegistryToken;
  if (!status?.token) throw new TypeError('no token was issued');
  return status.token;
}

/** The same with another time of issue, wherever its times stand, so that the token is to be rotated then. */
function later(copy: Manifest, uid: string, dueAt: number): Manifest {
  const token = copy as unknown as RegistryToken;
  const record = token.status?.token;
  const at = record && rotationTime(record, readTokenSpec(token).rotation, uid);
  if (!record || at === undefined) return copy;
  const move = (text: string, time: string): string =>
    text.replaceAll(time, toTime(Date.parse(time) + dueAt - at));
  const text = move(JSON.stringify(copy), record.issuedAt);
  return JSON.parse(record.expiresAt === undefined ? text : move(text, record.expiresAt)) as Manifest;
}

/** As it is stored. */
function withoutVersion(object: KubeObject): object {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
