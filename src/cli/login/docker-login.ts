import type { RegistryToken } from '../../api/registry-token.ts';
import { heldToken, type Secret } from '../../token/secret/secret.ts';
import { CommandFailure } from '../failure.ts';
import { readDockerConfig } from '../pull-secrets/docker-config.ts';

/** `auths` of a docker configuration. Holds the credential: only to be written where somebody asked for it. */
export type DockerLogins = Readonly<Record<string, { auth: string }>>;

/**
 * The logins of a RegistryToken's Secret. Patterns are kubelet's alone and left out.
 * @throws CommandFailure where it does not hold the RegistryToken's token
 */
export function dockerLogins({ metadata, status }: RegistryToken, secret: Secret): DockerLogins {
  const title = `Secret ${secret.metadata.name}`;
  const id = heldToken(secret);
  if (id === undefined || id !== status?.token?.id)
    throw new CommandFailure(
      `${title} does not hold the token of RegistryToken ${metadata.name}`,
      `kubectl registrytoken why ${metadata.name} -n ${metadata.namespace}`,
    );
  const config = readDockerConfig(secret);
  if ('flaw' in config) throw new CommandFailure(`${title} ${config.flaw}`);
  const entries = config.entries.filter(({ key }) => !key.includes('*'));
  return Object.fromEntries(
    entries.map(({ key, username, password }) => {
      const auth = Buffer.from(`${username}:${password.reveal()}`).toString('base64');
      return [key, { auth }];
    }),
  );
}

/**
 * A docker configuration with these logins, and all else that is in it.
 * @param before its text; undefined: there is none
 * @returns a remark where docker will not look there
 * @throws CommandFailure for what is no docker configuration; quotes nothing of it
 */
export function withLogins(
  before: string | undefined,
  logins: DockerLogins,
  path: string,
): { text: string; remark?: string } {
  const config = before === undefined || before.trim() === '' ? {} : parse(before, path);
  const auths = config['auths'] ?? {};
  if (!isObject(auths)) throw new CommandFailure(`${path} is no docker configuration`);
  const { credsStore, credHelpers } = config;
  const helpers = isObject(credHelpers) ? credHelpers : {};
  const isStored = Object.keys(logins).some((host) => host in helpers) || typeof credsStore === 'string';
  const text = `${JSON.stringify({ ...config, auths: { ...auths, ...logins } }, undefined, '\t')}\n`;
  return {
    text,
    ...(isStored && {
      remark: `${path} names a credential store (credsStore or credHelpers), where docker looks first; use another --file, or docker login with what --print shows`,
    }),
  };
}

function parse(text: string, path: string): Record<string, unknown> {
  try {
    const config: unknown = JSON.parse(text);
    if (isObject(config)) return config;
  } catch {
    // Told below, without what is in it.
  }
  throw new CommandFailure(`${path} is no docker configuration`, 'give another --file');
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
