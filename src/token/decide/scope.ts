import type { ScopeCapability } from '../../api/capabilities.ts';
import { fits } from '../../api/syntax/pattern.ts';

/**
 * The first name of a scope that none of an account's patterns allows; undefined: all are allowed.
 * @param patterns `*` stands for any characters within a name, `$(namespace)` for the RegistryToken's namespace
 */
export function forbiddenName(
  scope: readonly string[],
  patterns: readonly string[],
  namespace: string,
): string | undefined {
  const allowed = patterns.map((pattern) => inNamespace(pattern, namespace));
  return scope.find((name) => !allowed.some((pattern) => allows(pattern, name)));
}

const inNamespace = (pattern: string, namespace: string): string =>
  pattern.replaceAll('$(namespace)', namespace);

/** A pattern for the people of a namespace, who see what it stands for there: `team-a ($(namespace))`. */
export function describePattern(pattern: string, namespace: string): string {
  const there = inNamespace(pattern, namespace);
  return there === pattern ? pattern : `${there} (${pattern})`;
}

/** Whether a name, or a pattern of names, is more than a namespace, and a scope takes only namespaces. */
export const isPastNamespace = (name: string, { covers }: Pick<ScopeCapability, 'covers'>): boolean =>
  covers === 'namespace' && name.includes('/');

/** The namespace in a path that may begin with a host, which has a dot, as in the names of images. */
export function namespaceIn(path: string): string {
  const [first = '', second] = path.split('/');
  return first.includes('.') && second !== undefined ? second : first;
}

function allows(pattern: string, name: string): boolean {
  const names = name.split('/');
  const patterns = pattern.split('/');
  return patterns.length === names.length && patterns.every((each, index) => fits(each, names[index] ?? ''));
}

/**
 * Where tokens of a scope are listed by a registry that lists them apart: those of one name with that name, those of several or none
 * together, under the empty text.
 */
export const listOf = ([name = '', ...others]: readonly string[] = []): string =>
  others.length === 0 ? name : '';
/** A scope whose tokens are in a list of `listOf`. */
export const scopeOfList = (list: string): string[] => (list === '' ? [] : [list]);
