import type { Command } from '../command.ts';
import { renderObject } from '../output/listing.ts';
import { selectedTokens } from '../selected-tokens.ts';
import { Observer } from '../status/observation.ts';
import { findingsOf, renderFindings } from '../status/findings.ts';
import { statusReport } from '../status/report.ts';
import { painter } from '../terminal.ts';

export const WHY: Command = {
  name: 'why',
  arguments: [{ name: '<NAME>', about: 'of a RegistryToken', completes: 'RegistryTokens' }],
  summary: 'Say what is in the way of a RegistryToken, and what to do',
  about: 'Ends with 0 whatever it finds. Needs the same rights as status.',
  examples: [
    { to: 'Ask why pods can not pull', run: 'kubectl registrytoken why app-pull -n team-a' },
    { to: 'Ask for a program', run: 'kubectl registrytoken why app-pull -n team-a -o json' },
  ],
  formats: ['table', 'json', 'yaml'],
  async run(context, { args: [name] }) {
    const { terminal, clock, format } = context;
    const [token] = await selectedTokens(context, name);
    if (!token) return;
    const report = statusReport(await new Observer(context).observe(token));
    const findings = findingsOf(report, clock.now());
    if (format === 'json' || format === 'yaml') return terminal.write(renderObject(findings, format));
    terminal.write(renderFindings(report, findings, painter(terminal)));
  },
};
