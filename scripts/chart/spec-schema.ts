/** A JSON schema, or a part of one. */
export type Schema = Record<string, unknown>;

/** What Kubernetes knows beyond JSON schema, and what speaks to people. */
const LEFT_OUT = /^(x-kubernetes-.*|description|default|format)$/;
/** A CEL rule that asks for a pattern and nothing else, save for one word that is taken too. */
const PATTERN_RULE = /^(?:self == '(\w+)' \|\| )?self\.matches\('\^(.*)\$'\)$/;

/** A CRD's schema as one for values: unknown keys are refused, where the API server would drop them silently. */
export function closed(schema: Schema): Schema {
  const kept = Object.entries(schema).filter(([key]) => !LEFT_OUT.test(key));
  const copy: Schema = Object.fromEntries(kept);
  const pattern = patternOf(schema);
  if (pattern !== undefined) copy['pattern'] = pattern;
  if (copy['properties']) {
    const properties = Object.entries(copy['properties'] as Record<string, Schema>);
    copy['properties'] = Object.fromEntries(properties.map(([name, child]) => [name, closed(child)]));
    copy['additionalProperties'] = false;
  }
  if (copy['items']) copy['items'] = closed(copy['items'] as Schema);
  return copy;
}

/** The pattern of a schema's rules, so that Helm refuses what the API server would. */
function patternOf(schema: Schema): string | undefined {
  const rules = (schema['x-kubernetes-validations'] ?? []) as { rule: string }[];
  const [first] = rules.flatMap(({ rule }) => {
    const [, word, pattern] = PATTERN_RULE.exec(rule) ?? [];
    if (pattern === undefined) return [];
    const plain = pattern.replaceAll('\\\\', '\\');
    return [word === undefined ? `^${plain}$` : `^(${word}|${plain})$`];
  });
  return first;
}

/** A RegistryToken's spec. */
export function tokenSchema(spec: Schema): Schema {
  return closed(spec);
}

/** A RegistryAccount's spec, of which the chart fills in what is required; its key may be given instead of a Secret. */
export function accountSchema(spec: Schema): Schema {
  const { required: _, properties, ...rest } = closed(spec);
  const apiKey = { type: 'string', minLength: 1 };
  const fields = { ...(properties as Record<string, Schema>), apiKey };
  const credentials = [{ required: ['credentialsSecretRef'] }, { required: ['apiKey'] }];
  return { ...rest, properties: fields, anyOf: credentials };
}
