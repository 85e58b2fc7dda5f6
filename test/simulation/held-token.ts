import { OWNER_UID_LABEL } from '../../src/api/names.ts';
import { PAYLOAD_KEY } from '../../src/token/secret/secret.ts';
import type { SecretObject } from '../support/world.ts';
import type { Registries } from './registries/registries.ts';

const known = new WeakMap<SecretObject, string | undefined>();

/** Identifier of the token that a Secret holds, by its payload alone; undefined when it holds none. */
export function heldToken(registries: Registries, secret: SecretObject): string | undefined {
  if (!known.has(secret)) known.set(secret, read(registries, secret));
  return known.get(secret);
}

function read(registries: Registries, { data }: SecretObject): string | undefined {
  try {
    const payload = Buffer.from(data?.[PAYLOAD_KEY] ?? '', 'base64').toString();
    const { auths } = JSON.parse(payload) as { auths: Record<string, { password: string }> };
    return registries.tokenOf(Object.values(auths)[0]?.password ?? '');
  } catch {
    return undefined;
  }
}

/** The hosts that a Secret has credentials for. */
export function hostsOf({ data }: SecretObject): string[] {
  try {
    const payload = Buffer.from(data?.[PAYLOAD_KEY] ?? '', 'base64').toString();
    return Object.keys((JSON.parse(payload) as { auths: object }).auths);
  } catch {
    return [];
  }
}

/** Uid of the RegistryToken that a Secret belongs to. */
export function ownerOf({ metadata }: SecretObject): string | undefined {
  const controller = metadata.ownerReferences?.find((owner) => owner.controller === true);
  return controller ? controller.uid : metadata.labels?.[OWNER_UID_LABEL];
}
