import { glob, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { systemClock as clock } from '../../../src/common/clock.ts';
import { Metrics } from '../../../src/ops/metrics.ts';
import { MINT_REASONS, REPAIR_KINDS, REVOCATION_RESULTS } from '../../../src/ops/metrics/token.ts';
import { pagesBelow, readPage } from '../../support/pages.ts';
import { readRules } from '../../observability/support/queries.ts';

const ROOT = new URL('../../../', import.meta.url);

/** The text of all files that match a pattern. */
async function textOf(pattern: string): Promise<string> {
  const texts: string[] = [];
  for await (const file of glob(pattern, { cwd: fileURLToPath(ROOT) }))
    texts.push(await readFile(new URL(file, ROOT), 'utf8'));
  return texts.join('\n');
}

describe('documentation of what can be observed', () => {
  it('has a section of the runbook for every alert, and none for another', async () => {
    const alerts = (await readRules()).flatMap(({ alert }) => alert ?? []);
    const [, ...sections] = (await readPage('runbook.md')).split(/^## /m);
    expect(sections.map((section) => section.split('\n')[0])).to.have.members(alerts);
    for (const section of sections) {
      const parts = [...section.matchAll(/^\*\*(\w+)\.\*\*/gm)].map(([, part]) => part);
      expect(parts, section.split('\n')[0]).to.deep.equal(['Meaning', 'Impact', 'Diagnosis', 'Remedy']);
    }
  });

  it('searches logs for messages that the code writes', async () => {
    const code = await textOf('src/**/*.ts');
    const searches: string[] = [];
    for (const page of await pagesBelow('*.md'))
      for (const [, pattern = ''] of (await readPage(page)).matchAll(
        /^kubectl .*\blogs .*grep (?:-E )?'(?!"\w+":)(.+)'$/gm,
      ))
        searches.push(...pattern.replaceAll('"', '').split('|'));
    expect(searches).to.have.length.above(4);
    for (const search of searches) expect(code.includes(search), search).to.equal(true);
  });

  it('lists every event that the code names, with its type, and no other', async () => {
    const calls = [
      ...(await textOf('src/controller/**/*.ts')).matchAll(
        /\.event\(\s*[\w.]+,\s*'(Normal|Warning)',\s*([^,]+),/g,
      ),
    ];
    const named = calls.flatMap(([, type, reason = '']) =>
      [...reason.matchAll(/'(\w+)'/g)].map(([, word]) => `${word} ${type}`),
    );
    const rows = (await readPage('observability.md')).matchAll(/^\| (`\w+`[^|]*)\| (Normal|Warning) +\|/gm);
    const listed = [...rows].flatMap(([, reasons = '', type]) =>
      [...reasons.matchAll(/`(\w+)`/g)].map(([, word]) => `${word} ${type}`),
    );
    expect(listed).to.have.members([...new Set(named)]);
    expect(listed).to.include('PodEvicted Normal');
  });

  it('lists what the labels of counters can say', async () => {
    const page = await readPage('observability.md');
    for (const [metric, values] of [
      ['registrytoken_mints_total', MINT_REASONS],
      ['registrytoken_revocations_total', REVOCATION_RESULTS],
      ['registrytoken_secret_repairs_total', REPAIR_KINDS],
    ] as const) {
      const [, meaning = ''] = new RegExp(`^\\| \`${metric}\` +\\|[^|]*\\|([^|]*)\\|`, 'm').exec(page) ?? [];
      expect([...meaning.matchAll(/`(\w+)`/g)].map(([, word]) => word)).to.have.members(values);
    }
  });

  it('lists every metric with its labels, and no other', async () => {
    const metrics = new Metrics({
      version: '',
      nodeVersion: '',
      clock,
      listTokens: () => [],
      listAccounts: () => [],
      listClusterTokens: () => [],
    });
    const names = [...(await metrics.text()).matchAll(/^# HELP (\S+)/gm)].map(([, name = '']) => name);
    const own = names.filter((name) => !/^(process|nodejs)_/.test(name));
    const rows = [...(await readPage('observability.md')).matchAll(/^\| `([a-z]+_\w+)` +\|([^|]*)\|/gm)];
    expect(rows.map(([, name]) => name)).to.have.members(own);
    const documented = new Map(rows.map(([, name, labels = '']) => [name, labels.match(/\w+/g) ?? []]));
    for (const [, name = '', pairs = ''] of (await metrics.text()).matchAll(/^(\w+)\{([^}]*)\}/gm)) {
      const labels = [...pairs.matchAll(/(\w+)="/g)]
        .map(([, label]) => label)
        .filter((label) => label !== 'le');
      const row = documented.get(name.replace(/_(bucket|sum|count)$/, ''));
      if (row) expect(row, name).to.have.members(labels);
    }
  });
});
