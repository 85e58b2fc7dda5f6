import type { RegistryAccountSpec } from '../registry-account.ts';

export type LabelSelector = NonNullable<RegistryAccountSpec['namespaceSelector']>;

/**
 * Whether labels satisfy a selector; an empty selector matches everything. Operators as in
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/: NotIn also matches where the key is absent.
 */
export function matchesSelector(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  const label = (key: string): string | undefined => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    if (label(key) !== value) return false;
  }
  return (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    const value = label(key);
    switch (operator) {
      case 'In':
        return value !== undefined && values.includes(value);
      case 'NotIn':
        return value === undefined || !values.includes(value);
      case 'Exists':
        return value !== undefined;
      case 'DoesNotExist':
        return value === undefined;
    }
  });
}
