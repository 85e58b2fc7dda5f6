/**
 * Writes what the chart takes from elsewhere: its version from package.json, copies of crds/, the parts of its values' schema that
 * are the CRDs' own, and the table of values in its README; and into crds/ a mark of each one's state. With --check writes nothing and
 * exits 1 when a file is out of date.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { parse, parseDocument } from 'yaml';
import packageJson from '../package.json' with { type: 'json' };
import { accountSchema, clusterTokenSchema, tokenSchema, type Schema } from './chart/spec-schema.ts';
import { valuesTable } from './chart/values-table.ts';

const ROOT = new URL('../', import.meta.url);
const CHART = 'charts/registry-token-operator/';
const README_MARKS = /(<!-- values -->\n)[^]*(<!-- \/values -->)/;

interface Definition {
  spec: { versions: { schema: { openAPIV3Schema: { properties: { spec: Schema } } } }[] };
}

const read = (path: string): Promise<string> => readFile(new URL(path, ROOT), 'utf8');

async function specOf(path: string): Promise<Schema> {
  const [version] = (parse(await read(path)) as Definition).spec.versions;
  if (!version) throw new Error(`${path} has no version`);
  return version.schema.openAPIV3Schema.properties.spec;
}

/** Tells one state of a CRD from another: the chart refuses to go with CRDs that are not its own (templates/_checks.tpl). */
const MARK = 'pullsecrets.dev/definition';

/** A CRD with its mark, which changes with the spec. */
function marked(text: string): string {
  const { spec } = parse(text) as Definition;
  const mark = createHash('sha256').update(JSON.stringify(spec)).digest('hex').slice(0, 16);
  const without = text.replace(new RegExp(`  annotations:\\n    ${MARK}: .*\\n`), '');
  return without.replace(/^metadata:\n  name: .*\n/m, `$&  annotations:\n    ${MARK}: '${mark}'\n`);
}

/** What each file should hold, by path. */
async function wanted(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const name of await readdir(new URL('crds/', ROOT))) {
    const definition = marked(await read(`crds/${name}`));
    files.set(`crds/${name}`, definition);
    // `helm show crds` of Helm 3 puts nothing between the files.
    files.set(`${CHART}crds/${name}`, `---\n${definition}`);
  }
  const schema = JSON.parse(await read(`${CHART}values.schema.json`)) as { definitions: Schema };
  schema.definitions = {
    ...schema.definitions,
    account: accountSchema(await specOf('crds/pullsecrets.dev_registryaccounts.yaml')),
    clusterToken: clusterTokenSchema(await specOf('crds/pullsecrets.dev_clusterregistrytokens.yaml')),
    token: tokenSchema(await specOf('crds/pullsecrets.dev_registrytokens.yaml')),
  };
  files.set(`${CHART}values.schema.json`, JSON.stringify(schema, undefined, 2));
  const chart = (await read(`${CHART}Chart.yaml`)).replace(
    /^(version|appVersion): .*$/gm,
    `$1: ${packageJson.version}`,
  );
  files.set(`${CHART}Chart.yaml`, chart);
  const table = valuesTable(parseDocument(await read(`${CHART}values.yaml`)));
  const readme = (await read(`${CHART}README.md`)).replace(README_MARKS, `$1\n${table}\n$2`);
  files.set(`${CHART}README.md`, readme);
  return files;
}

const check = process.argv.includes('--check');
const style = await resolveConfig(new URL('package.json', ROOT));
const stale: string[] = [];
for (const [path, text] of await wanted()) {
  const formatted = path.includes('/crds/') ? text : await format(text, { ...style, filepath: path });
  const present = await read(path).catch(() => '');
  if (present === formatted) continue;
  if (check) stale.push(path);
  else await writeFile(new URL(path, ROOT), formatted);
}
if (stale.length > 0) {
  process.stderr.write(`the chart is out of date, run \`npm run generate\`: ${stale.join(', ')}\n`);
  process.exitCode = 1;
}
