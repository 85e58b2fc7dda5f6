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
  const allowed = patterns.map((pattern) => pattern.replaceAll('$(namespace)', namespace));
  return scope.find((name) => !allowed.some((pattern) => allows(pattern, name)));
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
