import type { Access } from '../../../src/registry/port.ts';

/** What a client may do to one thing in the registry, as the claim `access` of a bearer token says it. */
export interface Grant {
  type: string;
  name: string;
  actions: string[];
}

const ACTIONS: Readonly<Record<Access, readonly string[]>> = {
  ReadOnly: ['pull'],
  ReadWrite: ['pull', 'push'],
};

/**
 * Reads scopes as CNCF Distribution's token specification writes them: `repository:team/app:pull,push`. The name can
 * hold colons. Those that are malformed are left out.
 */
export function parseScopes(scopes: readonly string[]): Grant[] {
  return scopes
    .flatMap((scope) => scope.split(' '))
    .flatMap((scope) => {
      const [, type, name, actions] = /^([^:]+):(.+):([^:]*)$/.exec(scope) ?? [];
      if (type === undefined || name === undefined || actions === undefined) return [];
      return [{ type, name, actions: actions.split(',') }];
    });
}

/**
 * What of the requested a token gives: its own actions on repositories that its account owns. The rest is left out, not
 * refused; the registry refuses what it finds missing.
 */
export function granted(
  requested: readonly Grant[],
  access: Access,
  owns: (repository: string) => boolean,
): Grant[] {
  const actionsByName = new Map<string, Set<string>>();
  for (const { type, name, actions } of requested) {
    if (type !== 'repository' || !owns(name)) continue;
    const allowed = actions.filter((action) => ACTIONS[access].includes(action));
    if (allowed.length === 0) continue;
    const known = actionsByName.get(name) ?? new Set();
    for (const action of allowed) known.add(action);
    actionsByName.set(name, known);
  }
  return [...actionsByName].map(([name, actions]) => ({ type: 'repository', name, actions: [...actions] }));
}
