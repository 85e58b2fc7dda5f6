import { createHash } from 'node:crypto';
import type { RegistryAccountSpec } from '../api/registry-account.ts';
import { Redacted } from '../common/redacted.ts';
import type { BackEnd, Capabilities, Connection, CredentialsData, Places, Tools } from './port.ts';
import { ECR } from './ecr/ecr.ts';
import { HARBOR } from './harbor/harbor.ts';
import { IBM_CLOUD } from './ibm-cloud/ibm-cloud.ts';
import { IBM_REGISTRY_TOKENS } from './ibm-registry-tokens/ibm-registry-tokens.ts';

/** Every back end, by the name of its block in a RegistryAccount's spec. */
const BACK_ENDS = {
  ibmCloud: IBM_CLOUD,
  ibmRegistryTokens: IBM_REGISTRY_TOKENS,
  harbor: HARBOR,
  ecr: ECR,
};

export type ProviderName = keyof typeof BACK_ENDS;

export const PROVIDER_NAMES = Object.keys(BACK_ENDS) as ProviderName[];

/** An account's credentials, ready to connect with. */
export interface Credentials {
  capabilities: Capabilities;
  places: Places;
  connect: (account: string, tools: Tools) => Connection;
  /** Changes with the block and the credentials; reveals neither. */
  fingerprint: string;
  /** Values that may appear nowhere. */
  secrets: readonly Redacted[];
}

/** The registry of an account: a back end with the account's block. */
export interface Provider {
  name: ProviderName;
  /** Name for messages. */
  title: string;
  capabilities: Capabilities;
  places: Places;
  /** The identity that the account names; undefined where only the credentials tell. */
  identity: string | undefined;
  /** Field of the spec that names it, where credentials can belong to another. */
  identityField: string | undefined;
  /** What is wrong with its block; undefined when nothing is. */
  fault: string | undefined;
  /** @param data of the credentials Secret; undefined: the account names none */
  readCredentials: (data: CredentialsData | undefined) => Credentials | { problem: string };
}

const providers = new WeakMap<object, Provider>();

/** The registry that an account's spec names. @returns undefined where it names none, or several */
export function providerOf(spec: RegistryAccountSpec): Provider | undefined {
  const known = providers.get(spec);
  if (known) return known;
  const names = namedProviders(spec);
  const [name] = names;
  if (name === undefined || names.length > 1) return undefined;
  const provider = bind(name, spec);
  providers.set(spec, provider);
  return provider;
}

/** Names of the blocks that a spec has; exactly one is valid. */
export function namedProviders(spec: RegistryAccountSpec): ProviderName[] {
  return PROVIDER_NAMES.filter((name) => spec[name] !== undefined);
}

function bind(name: ProviderName, spec: RegistryAccountSpec): Provider {
  const backEnd = BACK_ENDS[name] as BackEnd<unknown, unknown>;
  const block: unknown = spec[name];
  const places = backEnd.places(block, spec.regions ?? []);
  const capabilities = backEnd.capabilities(block);
  return {
    name,
    title: backEnd.title,
    capabilities,
    places,
    identity: backEnd.identity(block),
    identityField: backEnd.identityField && `spec.${name}.${backEnd.identityField}`,
    fault: backEnd.fault?.(block),
    readCredentials: (data) => {
      const read = backEnd.readCredentials(data);
      if ('problem' in read) return read;
      const { credentials } = read;
      return {
        capabilities,
        places,
        connect: (account, tools) => backEnd.connect({ name: account, block, credentials }, tools),
        fingerprint: fingerprintOf(name, block, data),
        secrets: secretsIn(credentials),
      };
    },
  };
}

/** All redacted values, at any depth. */
function secretsIn(value: unknown): Redacted[] {
  if (value instanceof Redacted) return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(secretsIn) : [];
}

function fingerprintOf(name: string, block: unknown, data: CredentialsData | undefined): string {
  const hash = createHash('sha256').update(JSON.stringify([name, block]));
  for (const [key, value] of data ?? []) hash.update(JSON.stringify([key, value.reveal()]));
  return hash.digest('hex');
}
