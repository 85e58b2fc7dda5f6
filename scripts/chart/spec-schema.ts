/** A JSON schema, or a part of one. */
export type Schema = Record<string, unknown>;

/** What Kubernetes knows beyond JSON schema, and what speaks to people. */
const LEFT_OUT = /^(x-kubernetes-.*|description|default|format)$/;
/** A CEL rule that asks for a pattern and nothing else, save for one word that is taken too. */
const PATTERN_RULE = /^(?:self == '(\w+)' \|\| )?self\.matches\('\^(.*)\$'\)$/;
/** Keys of a Secret. */
const SECRET_KEY = '^[-._a-zA-Z0-9]{1,253}$';

/**
 * A CRD's schema as one for values: unknown keys are refused, where the API server would drop them silently, and null is taken for
 * whatever may be left out, which is how an overriding values file takes a field back. It replaces lists whole, so nothing in them is null.
 * @param removal of a schema, makes one that takes null as well
 */
export function closed(schema: Schema, removal: (child: Schema) => Schema = removable): Schema {
  const kept = Object.entries(schema).filter(([key]) => !LEFT_OUT.test(key));
  const copy: Schema = Object.fromEntries(kept);
  const pattern = patternOf(schema);
  if (pattern !== undefined) copy['pattern'] = pattern;
  if (copy['properties']) {
    const required = (copy['required'] ?? []) as string[];
    const properties = Object.entries(copy['properties'] as Record<string, Schema>);
    copy['properties'] = Object.fromEntries(
      properties.map(([name, child]) => [
        name,
        required.includes(name) ? closed(child, removal) : removal(closed(child, removal)),
      ]),
    );
    copy['additionalProperties'] = false;
  } else if (copy['additionalProperties']) {
    copy['additionalProperties'] = removal(closed(copy['additionalProperties'] as Schema, removal));
  }
  if (copy['items']) copy['items'] = closed(copy['items'] as Schema, (child) => child);
  return copy;
}

/** A schema that takes null as well. */
function removable(schema: Schema): Schema {
  const values = schema['enum'] as unknown[] | undefined;
  return { ...schema, type: [schema['type'], 'null'], ...(values && { enum: [...values, null] }) };
}

/** The first of a schema's CEL rules that has a form, by the form's groups. */
const ruleOf = (schema: Schema, form: RegExp): RegExpExecArray | undefined =>
  ((schema['x-kubernetes-validations'] ?? []) as { rule: string }[])
    .map(({ rule }) => form.exec(rule))
    .find((found) => found !== null);

/** The pattern of a schema's rules, so that Helm refuses what the API server would. */
function patternOf(schema: Schema): string | undefined {
  const [, word, pattern] = ruleOf(schema, PATTERN_RULE) ?? [];
  if (pattern === undefined) return undefined;
  const plain = pattern.replaceAll('\\\\', '\\');
  return word === undefined ? `^${plain}$` : `^(${word}|${plain})$`;
}

/** A RegistryToken's spec. */
export function tokenSchema(spec: Schema): Schema {
  return removable(closed(spec));
}

/** A ClusterRegistryToken's spec. */
export function clusterTokenSchema(spec: Schema): Schema {
  return removable(closed(spec));
}

/**
 * A RegistryAccount's spec. That it names one registry, and has credentials, is left to the chart, whose message is better. What a
 * Secret is to hold may be given in place of the Secret's name.
 */
export function accountSchema(spec: Schema): Schema {
  const { properties, ...rest } = closed(spec);
  return {
    ...removable(rest),
    properties: {
      ...(properties as Record<string, Schema>),
      credentials: {
        type: ['object', 'null'],
        minProperties: 1,
        propertyNames: { pattern: SECRET_KEY },
        additionalProperties: { type: ['string', 'null'], minLength: 1 },
      },
    },
  };
}
