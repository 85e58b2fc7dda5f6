import { firstOf } from '../../api/syntax/text.ts';
import { fromTime } from '../../api/syntax/time.ts';
import { age, humanDuration } from '../output/human-time.ts';
import { markdownTable, markdownText } from '../output/markdown.ts';
import { table, type Column } from '../output/table.ts';
import type { PullSecretReport, ReportedCopies, ReportedSecret } from './report.ts';

/** Hosts, users and ServiceAccounts of a cell; more of them with `-o wide`. */
const MAX_NAMED = 2;
const MAX_NAMED_WIDE = 8;
/** Groups of copies that are told in words. */
const MAX_COPIES = 10;

/** @param now milliseconds since 1970 */
function columnsOf(now: number, wide: boolean): readonly Column<ReportedSecret>[] {
  const most = wide ? MAX_NAMED_WIDE : MAX_NAMED;
  const columns: Column<ReportedSecret>[] = [
    { header: 'NAMESPACE', cell: ({ namespace }) => namespace },
    { header: 'NAME', cell: ({ name }) => name },
    { header: 'KEPT BY', cell: keeperText },
    { header: 'HOSTS', cell: ({ hosts, moreHosts }) => namesText(hosts, most, moreHosts) },
    { header: 'USER', cell: ({ users }) => firstOf(users, most) },
    { header: 'KIND', cell: ({ kinds }) => firstOf(kinds, most), wide: true },
    { header: 'AGE', cell: ({ createdAt }) => age(createdAt, now) },
    { header: 'WRITTEN', cell: ({ writtenAt }) => age(writtenAt, now), wide: true },
    { header: 'EXPIRES', cell: ({ expiresAt }) => expiryText(expiresAt, now) },
    { header: 'PODS', cell: ({ usedBy }) => String(usedBy.pods ?? 'unknown') },
    {
      header: 'SERVICEACCOUNTS',
      cell: ({ usedBy: { serviceAccounts, moreServiceAccounts } }) =>
        serviceAccounts ? namesText(serviceAccounts, most, moreServiceAccounts) : 'unknown',
    },
    {
      header: 'COPIES',
      cell: ({ copies }) => (copies ? `${copies.secrets} in ${counted(copies.namespaces, 'namespace')}` : ''),
    },
    { header: 'REMARKS', cell: ({ remarks }) => remarks.join('; '), wide: true },
  ];
  return columns.filter((column) => wide || column.wide !== true);
}

/** As a table with what it comes to below. */
export function reportTable(report: PullSecretReport, now: number, wide: boolean): string {
  const lines = [...summaryLines(report), ...copiesLines(report)];
  return `${table(columnsOf(now, wide), report.secrets)}\n${lines.map((line) => `${line}\n`).join('')}`;
}

/** As a document of Markdown. */
export function reportMarkdown(report: PullSecretReport, now: number): string {
  const list = (lines: readonly string[]): string =>
    lines.map((line) => `- ${markdownText(line)}\n`).join('');
  const copies = copiesLines(report);
  return [
    `# Pull secrets, ${report.generatedAt}\n`,
    list(summaryLines(report)),
    ...(report.secrets.length > 0 ? [markdownTable(columnsOf(now, true), report.secrets)] : []),
    ...(copies.length > 0 ? ['## Copies\n', list(copies)] : []),
  ].join('\n');
}

function summaryLines({ summary }: PullSecretReport): string[] {
  const { secrets, notRotated, copies, unused, expired } = summary;
  return [
    `Nobody rotates ${notRotated} of ${counted(secrets, 'pull secret')}.`,
    ...(copies > 0 ? [`${copies} of these ${verb(copies)} a credential that other Secrets hold too.`] : []),
    ...(expired > 0 ? [`${expired} ${verb(expired)} a credential that has expired.`] : []),
    ...(unused > 0 ? [`No pod and no ServiceAccount names ${unused} of them.`] : []),
  ];
}

function copiesLines({ copies }: PullSecretReport): string[] {
  const more = copies.length - MAX_COPIES;
  return [
    ...copies.slice(0, MAX_COPIES).map(copyLine),
    ...(more > 0 ? [`There are ${more} more credentials with copies: -o json has all.`] : []),
  ];
}

function copyLine(copies: ReportedCopies): string {
  const { secrets, moreSecrets = 0, namespaces, hosts, moreHosts, user, rotated } = copies;
  const names = secrets.map(({ namespace, name }) => `${namespace}/${name}`);
  const ending = rotated
    ? `; ${rotated.namespace}/${rotated.name} is rotated, and then the others hold a credential that ends`
    : '';
  return `One credential of ${user} at ${namesText(hosts, MAX_NAMED, moreHosts)} is in ${secrets.length + moreSecrets} Secrets of ${counted(namespaces, 'namespace')}: ${namesText(names, MAX_NAMED_WIDE, moreSecrets)}${ending}.`;
}

function keeperText({ keptBy }: ReportedSecret): string {
  if (!keptBy) return 'nobody';
  const { name, object, does } = keptBy;
  return `${object === '' || does === 'Unknown' ? name : `${name}: ${object}`}${does === 'Copies' ? ', which does not rotate' : ''}`;
}

function expiryText(expiresAt: string | undefined, now: number): string {
  const expires = fromTime(expiresAt);
  if (expires === undefined) return 'unknown';
  return expires <= now ? `${humanDuration(now - expires)} ago` : `in ${humanDuration(expires - now)}`;
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
const verb = (count: number): string => (count === 1 ? 'holds' : 'hold');

/** @param more how many there are beyond those */
function namesText(names: readonly string[], most: number, more = 0): string {
  const left = names.length - most;
  const rest = (left > 0 ? left : 0) + more;
  return `${names.slice(0, most).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
