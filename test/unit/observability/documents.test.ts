import { glob, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { isProgressing, isTrouble, tokenReasons } from '../../../src/api/reasons.ts';
import { systemClock as clock } from '../../../src/common/clock.ts';
import { Metrics } from '../../../src/ops/metrics.ts';
import { readPage } from '../../support/pages.ts';
import { readRules } from '../../observability/support/queries.ts';

const ROOT = new URL('../../../', import.meta.url);

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

  it('has every reason that keeps a RegistryToken from its token in one family of troubleshooting.md', async () => {
    const [, section = ''] = (await readPage('troubleshooting.md')).split('## Ready is False\n');
    const [table = ''] = /(^\|.*\n)+/m.exec(section) ?? [];
    const listed = [...table.matchAll(/^\|[^|]+\|([^|]+)\|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, reason = '']) => reason),
    );
    expect(listed).to.have.members(
      tokenReasons.filter((reason) => isTrouble(reason) || isProgressing(reason)),
    );
  });

  it('lists every event that the code names, with its type, and no other', async () => {
    const sources: string[] = [];
    for await (const file of glob('src/controller/**/*.ts', { cwd: fileURLToPath(ROOT) }))
      sources.push(await readFile(new URL(file, ROOT), 'utf8'));
    const calls = sources.flatMap((text) => [
      ...text.matchAll(/\.event\(\s*[\w.]+,\s*'(Normal|Warning)',\s*([^,]+),/g),
    ]);
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
