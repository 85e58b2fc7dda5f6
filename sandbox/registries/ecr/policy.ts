import { fields } from '../../../src/registry/http/problem.ts';

/** A statement of an IAM policy, as far as the fake knows them. `*` and `?` are wildcards. */
export interface Statement {
  effect: 'Allow' | 'Deny';
  actions: readonly string[];
  resources: readonly string[];
}

/** Whether policies allow something: one statement does, and none denies it. Names of actions know no case. */
export function allows(statements: readonly Statement[], action: string, resource: string): boolean {
  const fitting = statements.filter(
    ({ actions, resources }) =>
      actions.some((each) => matches(each.toLowerCase(), action.toLowerCase())) &&
      resources.some((each) => matches(each, resource)),
  );
  return fitting.length > 0 && fitting.every(({ effect }) => effect === 'Allow');
}

/** Reads a policy; undefined when it is malformed. */
export function parsePolicy(text: string): Statement[] | undefined {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { Version: version, Statement: statements } = fields(document);
  if (version !== '2012-10-17' || !Array.isArray(statements)) return undefined;
  const read = statements.map(statementOf);
  return read.every((each) => each !== undefined) ? read : undefined;
}

function statementOf(value: unknown): Statement | undefined {
  const { Effect: effect, Action: action, Resource: resource } = fields(value);
  const [actions, resources] = [textsOf(action), textsOf(resource)];
  if ((effect !== 'Allow' && effect !== 'Deny') || !actions || !resources) return undefined;
  return { effect, actions, resources };
}

function textsOf(value: unknown): string[] | undefined {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.length > 0 && list.every((each) => typeof each === 'string') ? list : undefined;
}

function matches(pattern: string, text: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(text);
}
