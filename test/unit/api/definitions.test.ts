import { readdir, readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { parse } from 'yaml';
import { REFUSED_ACCOUNTS, REFUSED_TOKENS } from '../../support/admission.ts';

/** As far as these specifications look at it. */
interface Schema {
  description?: string;
  default?: unknown;
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: boolean | Schema;
  'x-kubernetes-validations'?: { rule: string; message?: string }[];
}
interface Crd {
  spec: { versions: { schema: { openAPIV3Schema: Schema } }[] };
}

const CRDS = new URL('../../../crds/', import.meta.url);
/** The API server describes these itself, in `kubectl explain`. */
const KUBERNETES_OWN = /^\w+\.(apiVersion|kind|metadata)$/;
/** A form to copy, a bound, or what to do about it. */
const SAYS_WHAT_TO_WRITE = /such as|\bwrite |leave (it|them) out|at (least|most) \d|from \d+\w to \d/;
/** Words that tell nothing of a field. */
const FILLER = new Set(['a', 'an', 'the', 'of', 'for', 'its', 'is', 'this', 'that', 'it', 'to', 'in', 'and']);

const words = (text: string): string[] =>
  text
    .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
    .map((word) => word.replace(/s$/, ''));

/** All schemas of a CRD by their path, and whether each is a field: items of lists and values of maps have no name to explain. */
function* schemasOf(path: string, schema: Schema, isField: boolean): Generator<[string, Schema, boolean]> {
  yield [path, schema, isField];
  for (const [name, child] of Object.entries(schema.properties ?? {}))
    yield* schemasOf(`${path}.${name}`, child, true);
  if (schema.items) yield* schemasOf(`${path}[]`, schema.items, false);
  if (typeof schema.additionalProperties === 'object')
    yield* schemasOf(`${path}{}`, schema.additionalProperties, false);
}

describe('what CRDs tell people', () => {
  const schemas: [string, Schema, boolean][] = [];
  before(async () => {
    for (const file of await readdir(CRDS)) {
      const { spec } = parse(await readFile(new URL(file, CRDS), 'utf8')) as Crd;
      const [plural = ''] = /(?<=_)\w+/.exec(file) ?? [];
      for (const { schema } of spec.versions)
        schemas.push(...schemasOf(plural.replace(/s$/, ''), schema.openAPIV3Schema, true));
    }
    expect(schemas.length).to.be.above(200);
  });

  const wrong = (is: (path: string, schema: Schema) => boolean): string[] =>
    schemas
      .filter(([path, schema, isField]) => isField && !KUBERNETES_OWN.test(path) && is(path, schema))
      .map(([path, { description }]) => `${path}: ${description}`);

  it('describes every field, in sentences', () => {
    expect(wrong((_, { description = '' }) => !/^[^a-z].*\.$/s.test(description))).to.deep.equal([]);
  });

  it('says more of a field than its name does', () => {
    const saysNothing = (path: string, { description = '' }: Schema): boolean => {
      const known = new Set(path.split('.').slice(-2).flatMap(words));
      return words(description).every((word) => known.has(word) || FILLER.has(word));
    };
    expect(wrong(saysNothing)).to.deep.equal([]);
  });

  it('names the default of every field that has one', () => {
    const concealed = ({ default: value, description = '' }: Schema): boolean =>
      ['string', 'number', 'boolean'].includes(typeof value) &&
      !description.includes(`Default: ${value as string}.`);
    expect(wrong((_, schema) => concealed(schema))).to.deep.equal([]);
  });

  it('says what to write in place of what a rule refuses', () => {
    const messages = schemas.flatMap(([path, schema]) =>
      (schema['x-kubernetes-validations'] ?? []).map(({ message = '' }) => `${path}: ${message}`),
    );
    expect(messages).to.have.length.above(50);
    expect(messages.filter((message) => !SAYS_WHAT_TO_WRITE.test(message))).to.deep.equal([]);
  });

  it('says so in the operator’s own refusals of the same', () => {
    const refusals = [...REFUSED_TOKENS, ...REFUSED_ACCOUNTS].map(({ words: text }) => text);
    expect(refusals.filter((text) => !SAYS_WHAT_TO_WRITE.test(text))).to.deep.equal([]);
  });
});
