/**
 * Draws the pictures of the documentation: docs/pictures/NAME.svg from NAME.dot, and the layout of the chart's Grafana dashboard from
 * its JSON; a picture without a source is removed. With --check changes nothing and exits 1 when a picture is out of date.
 */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { drawDashboard } from './pictures/dashboard.ts';
import { drawGraph } from './pictures/graph.ts';

const ROOT = new URL('../', import.meta.url);
const PICTURES = new URL('docs/pictures/', ROOT);
const DASHBOARD = new URL('charts/registry-token-operator/files/dashboard.json', ROOT);

/** What each picture should be, by the name of its file. */
async function wanted(): Promise<Map<string, string>> {
  const pictures = new Map<string, string>();
  for (const name of await readdir(PICTURES))
    if (name.endsWith('.dot'))
      pictures.set(
        name.replace(/dot$/, 'svg'),
        await drawGraph(await readFile(new URL(name, PICTURES), 'utf8')),
      );
  pictures.set('dashboard.svg', drawDashboard(JSON.parse(await readFile(DASHBOARD, 'utf8'))));
  return pictures;
}

const check = process.argv.includes('--check');
const stale: string[] = [];
const pictures = await wanted();
for (const [name, svg] of pictures) {
  const present = await readFile(new URL(name, PICTURES), 'utf8').catch(() => '');
  if (present === svg) continue;
  if (check) stale.push(`docs/pictures/${name}`);
  else await writeFile(new URL(name, PICTURES), svg);
}
for (const name of await readdir(PICTURES)) {
  if (!name.endsWith('.svg') || pictures.has(name)) continue;
  if (check) stale.push(`docs/pictures/${name}, which has no source`);
  else await rm(new URL(name, PICTURES));
}
if (stale.length > 0) {
  process.stderr.write(`pictures are out of date, run \`npm run generate\`: ${stale.join(', ')}\n`);
  process.exitCode = 1;
}
