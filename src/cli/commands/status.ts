import type { Command } from '../command.ts';
import { selectedTokens } from '../selected-tokens.ts';
import { renderObject } from '../output/listing.ts';
import { renderTree } from '../output/tree.ts';
import { Observer } from '../status/observation.ts';
import { statusReport } from '../status/report.ts';
import { statusTree } from '../status/status-tree.ts';
import { painter, Progress } from '../terminal.ts';

export const STATUS: Command = {
  name: 'status',
  arguments: [
    {
      name: '[NAME]',
      about: 'of a RegistryToken; default: all of the namespace',
      completes: 'RegistryTokens',
    },
  ],
  summary: 'Show how a RegistryToken is, and its Secret, account, ServiceAccounts, pods and events',
  about:
    'Shows what the Secret really holds, never a value. What you may not read is left out, and said. Needs get of registrytokens; more with get of registryaccounts and secrets, and list of serviceaccounts, pods and events.',
  examples: [
    { to: 'Show one', run: 'kubectl registrytoken status app-pull -n team-a' },
    { to: 'Show all of the cluster', run: 'kubectl registrytoken status -A' },
  ],
  formats: ['table', 'json', 'yaml'],
  allNamespaces: true,
  async run(context, { args: [name] }) {
    const { terminal, clock, format } = context;
    const tokens = await selectedTokens(context, name);
    const observer = new Observer(context);
    const progress = new Progress(terminal);
    const reports = [];
    for (const [at, token] of tokens.entries()) {
      if (tokens.length > 1) progress.report(`looked at ${at} of ${tokens.length} RegistryTokens`);
      reports.push(statusReport(await observer.observe(token)));
    }
    progress.end();
    if (format === 'json' || format === 'yaml')
      return terminal.write(renderObject(name === undefined ? reports : (reports[0] ?? {}), format));
    const trees = reports.map((report) => renderTree(statusTree(report, clock.now(), painter(terminal))));
    terminal.write(trees.join('\n'));
  },
};
