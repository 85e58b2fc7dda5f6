import { isTrouble } from '../../api/reasons.ts';
import { firstOf } from '../../api/syntax/text.ts';
import { age, when } from '../output/human-time.ts';
import { plain } from '../output/table.ts';
import type { Branch } from '../output/tree.ts';
import type { Seen } from '../seen.ts';
import type { Colour, Paint } from '../terminal.ts';
import type { EventReport, PodsReport, SecretReport, ServiceAccountReport, StatusReport } from './report.ts';

/** Names that a line lists. */
const MAX_NAMES = 8;

/** A status report as a tree for people. @param now milliseconds since 1970 */
export function statusTree(report: StatusReport, now: number, paint: Paint): Branch {
  return {
    text: `RegistryToken ${paint('bold', `${report.namespace}/${report.name}`)}: ${headline(report, paint)}`,
    below: [
      tokenBranch(report, now),
      accountBranch(report, paint),
      secretBranch(report, paint),
      ...previousBranch(report, now),
      ...serviceAccountsBranch(report, paint),
      podsBranch(report, paint),
      eventsBranch(report, now, paint),
    ],
  };
}

function headline({ ready, reason, message, suspended, outdated }: StatusReport, paint: Paint): string {
  const colour: Colour = ready !== 'True' ? 'red' : suspended || isTrouble(reason) ? 'yellow' : 'green';
  const state = ready === 'True' ? 'Ready' : ready === 'False' ? 'not Ready' : 'not looked at yet';
  const parts = [
    paint(colour, state),
    reason,
    outdated ? 'the operator has not seen its last change yet' : '',
  ];
  const text = parts.filter(Boolean).join(', ');
  return message === '' ? text : `${text}: ${plain(message)}`;
}

function tokenBranch(
  { token, nextRotationTime, nextRetryTime, suspended }: StatusReport,
  now: number,
): Branch {
  const retry = nextRetryTime === undefined ? [] : [{ text: `next try ${when(nextRetryTime, now)}` }];
  if (!token) return { text: 'Token: none yet', below: retry };
  const { id, revision, access, scope, issuedAt, expiresAt, revocable } = token;
  const rotation = suspended
    ? 'is not rotated while spec.suspend is true'
    : nextRotationTime === undefined
      ? 'is not rotated by a schedule'
      : `next rotation ${when(nextRotationTime, now)}`;
  return {
    text: plain(
      `Token ${id}, revision ${revision}, ${access}, ${scope.length > 0 ? `for ${firstOf(scope, MAX_NAMES)}` : 'for all that the account can give'}`,
    ),
    below: [
      { text: `issued ${when(issuedAt, now)}` },
      { text: expiresAt === 'Never' ? 'never expires' : `expires ${when(expiresAt, now)}` },
      { text: rotation },
      ...(revocable ? [] : [{ text: 'the registry can not revoke it' }]),
      ...retry,
    ],
  };
}

function accountBranch({ account: { name, region, state } }: StatusReport, paint: Paint): Branch {
  const title = `RegistryAccount ${name}${region === '' ? '' : `, region ${region}`}`;
  if ('unseen' in state) return { text: `${title}: ${unseen(state, paint)}` };
  const { value } = state;
  if (!value) return { text: `${title}: ${paint('red', 'does not exist')}` };
  const ready = value.ready === 'True' ? paint('green', 'Ready') : paint('red', 'not Ready');
  const why = value.ready === 'True' || value.message === '' ? '' : `: ${plain(value.message)}`;
  return { text: `${title}: ${ready}${value.reason === '' ? '' : `, ${value.reason}`}${why}` };
}

const SECRET_STATES: Readonly<Record<SecretReport['state'], [Colour, string]>> = {
  Current: ['green', 'holds the token above'],
  Other: ['yellow', 'holds another token'],
  Edited: ['red', 'does not hold what the operator wrote'],
  Foreign: ['red', 'was not made for this RegistryToken'],
  Absent: ['red', 'does not exist'],
};

function secretBranch({ secret: { name, state } }: StatusReport, paint: Paint): Branch {
  const title = `Secret ${name}`;
  if ('unseen' in state) return { text: `${title}: ${unseen(state, paint)}` };
  const { state: what, tokenId, hosts, flaw } = state.value;
  const [colour, text] = SECRET_STATES[what];
  const which = what === 'Other' ? ` (${plain(tokenId ?? '')})` : '';
  const shownHosts = hosts.slice(0, MAX_NAMES).map(({ host, user }) => ({
    text: plain(`host ${host}, user ${user}`),
  }));
  const more = hosts.length > MAX_NAMES ? [{ text: `and ${hosts.length - MAX_NAMES} more hosts` }] : [];
  return {
    text: `${title}: ${paint(colour, text)}${which}`,
    below: [
      ...shownHosts,
      ...more,
      ...(flaw === undefined ? [] : [{ text: paint('red', `kubelet can't read it: it ${flaw}`) }]),
    ],
  };
}

function previousBranch({ previousTokens }: StatusReport, now: number): Branch[] {
  if (previousTokens.length === 0) return [];
  const below = previousTokens.map(({ id, revision, endsAt, lastError }) => ({
    text: plain(
      `${id}, revision ${revision}, is revoked at ${when(endsAt, now)}${lastError === undefined ? '' : `; the last try failed: ${lastError}`}`,
    ),
  }));
  return [{ text: 'Previous tokens, still valid', below }];
}

const LINKS: Readonly<Record<ServiceAccountReport['state'], [Colour, string]>> = {
  Linked: ['green', 'has the Secret'],
  NotLinked: ['yellow', 'does not have the Secret yet'],
  Absent: ['yellow', 'does not exist yet'],
};

function serviceAccountsBranch({ serviceAccounts }: StatusReport, paint: Paint): Branch[] {
  if ('unseen' in serviceAccounts) return [{ text: `ServiceAccounts: ${unseen(serviceAccounts, paint)}` }];
  return serviceAccounts.value.map(({ name, state }) => {
    const [colour, text] = LINKS[state];
    return { text: `ServiceAccount ${name}: ${paint(colour, text)}` };
  });
}

function podsBranch({ pods }: StatusReport, paint: Paint): Branch {
  if ('unseen' in pods) return { text: `Pods: ${unseen(pods, paint)}` };
  const { using, waiting }: PodsReport = pods.value;
  if (using.length + waiting.length === 0) return { text: 'Pods: none uses the Secret' };
  const line = (names: string[], verb: string): Branch[] =>
    names.length === 0 ? [] : [{ text: `${names.length} ${verb}: ${firstOf(names, MAX_NAMES)}` }];
  return {
    text: 'Pods',
    below: [
      ...line(using, 'with the Secret'),
      ...line(waiting, 'that could not pull or start yet').map(({ text }) => ({ text: paint('red', text) })),
    ],
  };
}

function eventsBranch({ events }: StatusReport, now: number, paint: Paint): Branch {
  if ('unseen' in events) return { text: `Events: ${unseen(events, paint)}` };
  if (events.value.length === 0) return { text: 'Events: none in the last hour or so' };
  const line = ({ time, type, reason, note, count }: EventReport): Branch => {
    const often = count > 1 ? ` (x${count})` : '';
    const text = plain(`${age(time, now)} ago${often}, ${type} ${reason}: ${note}`);
    return { text: type === 'Warning' ? paint('yellow', text) : text };
  };
  return { text: 'Events', below: events.value.map(line) };
}

function unseen(seen: Extract<Seen<unknown>, { unseen: string }>, paint: Paint): string {
  return paint('dim', `not shown, ${seen.unseen}`);
}
