import { hash } from 'node:crypto';
import type { RegistryToken, RegistryTokenStatus, TokenSpec } from '../../api/registry-token.ts';
import { Redacted } from '../../common/redacted.ts';
import { isLastMinted } from '../lifecycle/mint-steps.ts';
import { secretManifest } from './secret.ts';
import type { SecretView } from './secret-view.ts';

/** What a status says of the Secret that was written. */
export type SecretRef = NonNullable<RegistryTokenStatus['secretRef']>;

/** What a watch knows of a Secret, whose payload it does not have. */
interface Watched {
  uid: string;
  resourceVersion: string;
}

/**
 * What a status says of a Secret that was just written. Where it was stored as it is to be, that is its version too, and what was wanted
 * of it: the API server gives a Secret another version with every change, so that whoever finds this one knows what is in it.
 */
export function writtenSecret(
  { name, uid, resourceVersion }: Watched & { name: string },
  view: SecretView,
  what: { token: RegistryToken; spec: TokenSpec; host: string; tokenId: string },
): SecretRef {
  const isAsWanted =
    view.state === 'ours' &&
    view.current &&
    !view.locked &&
    view.holds === what.tokenId &&
    view.host === what.host;
  return { name, uid, ...(isAsWanted && { resourceVersion, appliedHash: appliedHash(what) }) };
}

/**
 * How a Secret looks that has not changed since the operator wrote it as it is wanted still; a restart knows it without reading it.
 * Who edits a Secret gives it another version, whatever they write into its metadata. A watch can lag behind what the operator itself
 * wrote: where a later token was asked for than the one in force, the Secret may hold that one although the status could not say so.
 * @returns undefined where it has to be read
 */
export function knownSecret(
  watched: Watched,
  token: RegistryToken,
  spec: TokenSpec,
  hosts: readonly string[],
): SecretView | undefined {
  const { secretRef, host, token: record } = token.status ?? {};
  if (!secretRef?.appliedHash || !record || host === undefined || !hosts.includes(host)) return undefined;
  const { uid, resourceVersion } = watched;
  const isUnchanged =
    secretRef.name === spec.secret.name &&
    secretRef.uid === uid &&
    secretRef.resourceVersion === resourceVersion &&
    isLastMinted(token.status ?? {}, record);
  if (!isUnchanged || secretRef.appliedHash !== appliedHash({ token, spec, host, tokenId: record.id }))
    return undefined;
  return {
    state: 'ours',
    uid,
    version: resourceVersion,
    holds: record.id,
    host,
    current: true,
    locked: false,
    editor: undefined,
    payload: undefined,
    takeover: undefined,
  };
}

/** Fingerprint of all that a Secret is to say, save for the credential: another spec, or operator, wants another. */
function appliedHash({
  token,
  spec,
  host,
  tokenId,
}: {
  token: RegistryToken;
  spec: TokenSpec;
  host: string;
  tokenId: string;
}): string {
  const credential = { tokenId, username: '', value: new Redacted('') };
  const manifest = JSON.stringify(secretManifest({ token, spec, host, credential }));
  return hash('sha256', manifest).slice(0, 16);
}
