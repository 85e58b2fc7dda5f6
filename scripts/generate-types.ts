/**
 * Writes src/api/generated/*.ts from crds/*.yaml. With --check writes nothing and exits 1 when a file is out of date.
 */
import { readdir, readFile, writeFile, mkdir } from 'node:fs/promises';
import { compile, type JSONSchema } from 'json-schema-to-typescript';
import { format, resolveConfig } from 'prettier';
import { parse } from 'yaml';

const SOURCE = new URL('../crds/', import.meta.url);
const TARGET = new URL('../src/api/generated/', import.meta.url);

interface Definition {
  spec: {
    names: { kind: string; singular: string };
    versions: { schema: { openAPIV3Schema: JSONSchema } }[];
  };
}

/** A CRD schema is closed: the API server prunes what it does not name. */
function close(schema: JSONSchema): JSONSchema {
  const copy: JSONSchema = { ...schema };
  if (copy.properties) {
    copy.properties = Object.fromEntries(
      Object.entries(copy.properties).map(([name, child]) => [name, close(child)]),
    );
    copy.additionalProperties ??= false;
  }
  if (copy.items && !Array.isArray(copy.items)) copy.items = close(copy.items);
  // Bounds would turn arrays into unions of tuples; the API server enforces them.
  delete copy.maxItems;
  return copy;
}

async function generate(definition: Definition): Promise<string> {
  const { kind } = definition.spec.names;
  const schema = definition.spec.versions[0]?.schema.openAPIV3Schema;
  if (!schema?.properties) throw new Error(`${kind}: the CRD has no schema`);
  const { spec, status } = schema.properties;
  if (!spec || !status) throw new Error(`${kind}: the schema lacks spec or status`);
  const options = { bannerComment: '', additionalProperties: false, format: false };
  const parts = [
    await compile(close(spec), `${kind}Spec`, options),
    await compile(close(status), `${kind}Status`, options),
  ];
  const banner = `// Generated from crds/ by \`npm run generate\`. Do not edit.\n\n`;
  const prettier = await resolveConfig(new URL('../package.json', import.meta.url));
  return format(banner + parts.join('\n'), { ...prettier, parser: 'typescript' });
}

const check = process.argv.includes('--check');
const stale: string[] = [];
await mkdir(TARGET, { recursive: true });
for (const file of (await readdir(SOURCE)).filter((name) => name.endsWith('.yaml')).sort()) {
  const definition = parse(await readFile(new URL(file, SOURCE), 'utf8')) as Definition;
  const target = new URL(`${definition.spec.names.singular}.ts`, TARGET);
  const text = await generate(definition);
  if (!check) await writeFile(target, text);
  else if ((await readFile(target, 'utf8').catch(() => '')) !== text) stale.push(target.pathname);
}
if (stale.length > 0) {
  process.stderr.write(`generated types are out of date, run \`npm run generate\`: ${stale.join(', ')}\n`);
  process.exitCode = 1;
}
