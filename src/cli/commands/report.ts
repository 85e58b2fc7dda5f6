import { randomBytes } from 'node:crypto';
import type { Command } from '../command.ts';
import { listedNamespace } from '../context.ts';
import { describeRight } from '../failure.ts';
import { renderObject } from '../output/listing.ts';
import { reportOf } from '../pull-secrets/report.ts';
import { reportMarkdown, reportTable } from '../pull-secrets/report-view.ts';
import { surveyPullSecrets } from '../pull-secrets/survey.ts';
import { Progress } from '../terminal.ts';

export const REPORT: Command = {
  name: 'report',
  summary: 'Report on pull secrets: which of them nobody rotates, and who uses them',
  about: `Tells of every Secret that kubelet can pull images with: its registries, user, age, expiry where the credential says it, the pods and ServiceAccounts that name it, and the other Secrets that hold the same credential. Secrets that this operator or another one keeps are told as such. No part of a credential is shown, and no registry is asked.

It needs the right to list Secrets. Where pods or ServiceAccounts may not be listed, it leaves them out and says so.`,
  examples: [
    { to: 'Report on the pull secrets of a namespace', run: 'kubectl registrytoken report -n team-a' },
    {
      to: 'Write a report on the whole cluster for others to read',
      run: 'kubectl registrytoken report -A -o markdown > pull-secrets.md',
    },
    {
      to: 'Name those that nobody rotates',
      run: `kubectl registrytoken report -A -o json | jq -r '.secrets[] | select(.rotated | not) | "\\(.namespace)/\\(.name)"'`,
    },
  ],
  formats: ['table', 'wide', 'json', 'yaml', 'markdown'],
  allNamespaces: true,
  async run(context) {
    const { client, signal, terminal, clock, format, allNamespaces, namespace } = context;
    const progress = new Progress(terminal);
    const survey = await surveyPullSecrets({
      client,
      namespace: listedNamespace(context),
      signal,
      key: randomBytes(32),
      progress: terminal.live ? (line) => progress.report(line) : () => undefined,
    }).finally(() => progress.end());
    for (const right of survey.missing)
      terminal.tell(`${describeRight(right)}: the report leaves them out\n`);
    const now = clock.now();
    const report = reportOf(survey.secrets, survey.usedBy, now);
    if (format === 'json' || format === 'yaml') return terminal.write(renderObject(report, format));
    if (format === 'markdown') return terminal.write(reportMarkdown(report, now));
    if (report.secrets.length === 0)
      return terminal.tell(`No pull secrets found${allNamespaces ? '' : ` in namespace ${namespace}`}.\n`);
    terminal.write(reportTable(report, now, format === 'wide'));
  },
};
