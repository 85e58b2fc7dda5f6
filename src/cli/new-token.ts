import { API_VERSION } from '../api/names.ts';
import { InvalidSpec, readTokenSpec, type RegistryTokenSpec } from '../api/registry-token.ts';
import type { Given } from './command.ts';
import { CommandFailure } from './failure.ts';

/** A RegistryToken as somebody writes it. */
export interface NewToken {
  apiVersion: string;
  kind: 'RegistryToken';
  metadata: { name: string; namespace: string };
  spec: RegistryTokenSpec;
}

/**
 * The RegistryToken that flags ask for. What they do not name is left to the defaults.
 * @throws CommandFailure for what no API server would take
 */
export function newToken(name: string, namespace: string, options: Given['options']): NewToken {
  const text = (key: string): string | undefined => {
    const value = options[key];
    return typeof value === 'string' ? value : undefined;
  };
  const names = (key: string): readonly string[] => {
    const value = options[key];
    return Array.isArray(value) ? (value as string[]) : [];
  };
  if (options['neverExpiring'] === true && text('lifetime') !== undefined)
    throw new CommandFailure('--never-expiring and --lifetime say two things', 'give one of them');
  const [account, region, description, secret] = ['account', 'region', 'description', 'secret'].map(text);
  const lifetime = options['neverExpiring'] === true ? 'Never' : text('lifetime');
  const [scope, serviceAccounts] = [names('scope'), names('serviceAccount')];
  const spec: RegistryTokenSpec = {
    ...(account !== undefined && { accountRef: { name: account } }),
    ...(region !== undefined && { region }),
    ...(scope.length > 0 && { scope: [...scope] }),
    ...(options['readWrite'] === true && { access: 'ReadWrite' }),
    ...(lifetime !== undefined && { lifetime }),
    ...(description !== undefined && { description }),
    ...(secret !== undefined && { secret: { name: secret } }),
    ...(serviceAccounts.length > 0 && { serviceAccounts: [...serviceAccounts] }),
  };
  const token: NewToken = {
    apiVersion: API_VERSION,
    kind: 'RegistryToken',
    metadata: { name, namespace },
    spec,
  };
  try {
    readTokenSpec({
      ...token,
      metadata: { ...token.metadata, uid: '', resourceVersion: '', creationTimestamp: '' },
    });
  } catch (error) {
    if (error instanceof InvalidSpec) throw new CommandFailure(error.message);
    throw error;
  }
  return token;
}
