import { isProgressing, isTrouble, tokenReasons, type TokenReason } from '../../api/reasons.ts';
import { firstOf } from '../../api/syntax/text.ts';
import { fromTime } from '../../api/syntax/time.ts';
import { OBSTACLES } from '../obstacles.ts';
import { when } from '../output/human-time.ts';
import { plain } from '../output/table.ts';
import type { Paint } from '../terminal.ts';
import type { StatusReport } from './report.ts';

/** Something that is in the way of a RegistryToken or of the pods that use it. */
export interface Finding {
  /** A reason of docs/registrytokens.md, or what was seen beside the status. */
  subject: string;
  matter: string;
  /** What the operator says of it. */
  message?: string;
  remedy?: string;
}

/** Names that a line lists. */
const MAX_NAMES = 5;

/** All that is in the way, what to see to first at first. @param now milliseconds since 1970 */
export function findingsOf(report: StatusReport, now: number): Finding[] {
  return [
    ...unseenByOperator(report),
    ...conditionFindings(report, now),
    ...accountFindings(report),
    ...tokenFindings(report, now),
    ...secretFindings(report),
    ...podFindings(report),
  ];
}

function unseenByOperator({ ready, outdated }: StatusReport): Finding[] {
  if (ready !== 'Unknown' && !outdated) return [];
  return [
    {
      subject: 'Operator',
      matter:
        ready === 'Unknown'
          ? 'The operator has not looked at it yet.'
          : 'The operator has not looked at its last change yet.',
      remedy:
        'If this lasts longer than a few seconds: see that the operator runs, that it is Ready, and that it watches this namespace.',
    },
  ];
}

/** Each reason once: Ready repeats what Reconciling and Stalled say. */
function conditionFindings({ reason, conditions, nextRetryTime }: StatusReport, now: number): Finding[] {
  const told = new Map(conditions.map((each) => [each.reason, each.message]));
  const reasons = new Set([reason, ...told.keys()]);
  return [...reasons].filter(isInTheWay).map((each) => {
    const { matter, remedy } = OBSTACLES[each];
    const retry =
      nextRetryTime !== undefined && each === reason
        ? ` The next try is at ${when(nextRetryTime, now)}.`
        : '';
    const message = told.get(each);
    return {
      subject: each,
      matter,
      ...(message !== undefined && message !== '' && { message: plain(message) }),
      ...((remedy !== '' || retry !== '') && { remedy: `${remedy}${retry}`.trim() }),
    };
  });
}

/** Settled reasons that say something all the same. */
const REMARKABLE: readonly string[] = ['Suspended', 'RevocationFailed', 'Unverified', 'ClocksDiffer'];

function isInTheWay(reason: string): reason is TokenReason {
  const isKnown = (tokenReasons as string[]).includes(reason);
  return isKnown && (isTrouble(reason) || isProgressing(reason) || REMARKABLE.includes(reason));
}

function accountFindings({ account: { name, state } }: StatusReport): Finding[] {
  if (!('value' in state) || !state.value || state.value.ready === 'True') return [];
  const { reason, message } = state.value;
  return [
    {
      subject: `RegistryAccount ${name}`,
      matter: reason === '' ? 'The operator has not looked at it yet.' : `It is not Ready: ${reason}.`,
      ...(message !== '' && { message: plain(message) }),
      remedy: 'An administrator has to correct it, or its credentials in the namespace of the operator.',
    },
  ];
}

function tokenFindings({ token, reason }: StatusReport, now: number): Finding[] {
  const end = fromTime(token?.expiresAt);
  if (end === undefined || end > now || reason === 'TokenExpired') return [];
  return [
    {
      subject: 'Token',
      matter: `It has expired ${when(token?.expiresAt ?? '', now)}, and no pod can pull with it.`,
      remedy: 'See what keeps the next one, above; without anything there, see that the operator runs.',
    },
  ];
}

function secretFindings({ name, secret, reason, ready, suspended }: StatusReport): Finding[] {
  // A conflict is told by the status already, and before the first token there is nothing to hold.
  if (!('value' in secret.state) || reason === 'SecretConflict' || ready === 'Unknown') return [];
  const { state, flaw } = secret.state.value;
  const subject = `Secret ${secret.name}`;
  const soon = suspended
    ? 'Set spec.suspend to false.'
    : 'The operator restores it within seconds, or the status says why not.';
  if (state === 'Absent' && ready === 'True')
    return [{ subject, matter: 'It does not exist.', remedy: soon }];
  if (state === 'Edited')
    return [{ subject, matter: 'It does not hold what the operator wrote.', remedy: soon }];
  if (state === 'Foreign')
    return [
      {
        subject,
        matter: `It was not made for RegistryToken ${name}.`,
        remedy: 'Give secret.name another name, delete the Secret, or set secret.adopt.',
      },
    ];
  return flaw === undefined || state === 'Absent'
    ? []
    : [{ subject, matter: `kubelet can't read it: it ${flaw}.`, remedy: soon }];
}

function podFindings({ pods, ready, secret }: StatusReport): Finding[] {
  if (!('value' in pods) || pods.value.waiting.length === 0) return [];
  const { waiting } = pods.value;
  const is = waiting.length === 1 ? 'pod has' : 'pods have';
  return [
    {
      subject: 'Pods',
      matter: `${waiting.length} ${is} Secret ${secret.name} and could not pull or start yet: ${firstOf(waiting, MAX_NAMES)}.`,
      remedy:
        ready === 'True'
          ? 'kubelet tries again, at growing intervals of up to five minutes. If it keeps failing, see with kubectl describe pod whether the image exists and the scope covers it.'
          : 'They pull once the RegistryToken is Ready.',
    },
  ];
}

/** Findings as text for people. */
export function renderFindings(
  { namespace, name }: StatusReport,
  findings: readonly Finding[],
  paint: Paint,
): string {
  const title = `RegistryToken ${namespace}/${name}`;
  if (findings.length === 0) return `${title}: ${paint('green', 'nothing is in the way')}\n`;
  const blocks = findings.map(({ subject, matter, message, remedy }) =>
    [
      `${paint('yellow', subject)}: ${matter}`,
      ...(message === undefined ? [] : [`  Status: ${message}`]),
      ...(remedy === undefined ? [] : [`  To do:  ${remedy}`]),
    ].join('\n'),
  );
  return `${title}\n\n${blocks.join('\n\n')}\n`;
}
