import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { missingPrograms } from '../../sandbox/programs.ts';
import { readRules, RULES, type Rule } from './support/queries.ts';

const TESTS = fileURLToPath(new URL('rules.test.yaml', import.meta.url));

const promtool = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)('promtool', args)).stdout;

describe('alerts', () => {
  let alerts: Rule[];
  before(async () => {
    alerts = (await readRules()).filter(({ alert }) => alert !== undefined);
  });

  it('each say how bad it is, what it means, and where to read on', () => {
    for (const { alert = '', labels, annotations } of alerts) {
      expect(labels, alert).to.have.all.keys('severity');
      expect(labels?.['severity'], alert).to.be.oneOf(['critical', 'warning']);
      expect(annotations, alert).to.have.all.keys('summary', 'description', 'runbook_url');
      expect(annotations?.['runbook_url']).to.equal(`docs/runbook.md#${alert.toLowerCase()}`);
    }
  });

  describe('by promtool', function () {
    this.timeout(60_000);
    before(async function () {
      if ((await missingPrograms('promtool')).length === 0) return;
      process.stdout.write('    skipped: promtool not on the PATH\n');
      this.skip();
    });

    it('are well formed', async () => {
      expect(await promtool('check', 'rules', '--lint=all', '--lint-fatal', fileURLToPath(RULES))).to.include(
        'SUCCESS',
      );
    });

    it('fire when they should and not before', async () => {
      expect(await promtool('test', 'rules', TESTS)).to.include('SUCCESS');
    });
  });

  it('are all tried, both quiet and firing', async () => {
    const tests = await readFile(TESTS, 'utf8');
    for (const { alert = '' } of alerts) {
      expect(tests, alert).to.match(new RegExp(`alertname: ${alert}\\n +exp_alerts: \\[\\]`));
      expect(tests, alert).to.match(new RegExp(`alertname: ${alert}\\n +exp_alerts:\\n`));
    }
  });
});
