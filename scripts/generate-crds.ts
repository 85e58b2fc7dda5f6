/**
 * Writes what a CRD has of another one: the spec in the template of a ClusterRegistryToken is a RegistryToken's, with every rule
 * and default. With --check writes nothing and exits 1 when that is out of date.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { isMap, parseDocument, type Document, type YAMLMap } from 'yaml';

const CRDS = new URL('../crds/', import.meta.url);
const SOURCE = new URL('pullsecrets.dev_registrytokens.yaml', CRDS);
const TARGET = new URL('pullsecrets.dev_clusterregistrytokens.yaml', CRDS);
const SCHEMA = ['spec', 'versions', 0, 'schema', 'openAPIV3Schema', 'properties'];
const SPEC = [...SCHEMA, 'spec'];
const TEMPLATE_SPEC = [...SCHEMA, 'spec', 'properties', 'template', 'properties', 'spec'];

/** The target with the spec of the source in its template. */
function withTemplate(source: Document, target: Document): Document {
  const spec = source.getIn(SPEC, true);
  const template = target.getIn(TEMPLATE_SPEC, true);
  if (!isMap(spec) || !isMap(template)) throw new Error('a CRD lacks its spec, or the one in the template');
  const copy = spec.clone() as YAMLMap;
  // Without one the defaults in it would not apply where it is left out, as they do to a RegistryToken. The API server tries a default
  // by the rules before it fills in what is deeper, so that all of the first level has to be there.
  const { properties } = spec.toJS(source) as { properties: Record<string, { default?: unknown }> };
  const defaults = Object.entries(properties).filter(([, each]) => each.default !== undefined);
  copy.set(
    'default',
    target.createNode(Object.fromEntries(defaults.map(([key, each]) => [key, each.default]))),
  );
  target.setIn(TEMPLATE_SPEC, copy);
  return target;
}

const [source, present] = await Promise.all([SOURCE, TARGET].map((file) => readFile(file, 'utf8')));
const target = withTemplate(parseDocument(source ?? ''), parseDocument(present ?? ''));
const style = await resolveConfig(new URL('../package.json', import.meta.url));
// Folded texts stay on the lines where people broke them.
const text = await format(target.toString({ lineWidth: 0 }), { ...style, parser: 'yaml' });
if (text !== present) {
  if (process.argv.includes('--check')) {
    process.stderr.write(`out of date, run \`npm run generate\`: ${TARGET.pathname}\n`);
    process.exitCode = 1;
  } else await writeFile(TARGET, text);
}
