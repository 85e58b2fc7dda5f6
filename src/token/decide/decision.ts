import { formatDuration } from '../../api/syntax/duration.ts';
import { ROTATE_ANNOTATION } from '../../api/names.ts';
import type { MintIntent, Place } from '../../api/registry-token.ts';
import { toTime } from '../../api/syntax/time.ts';
import { isToRotate } from './account-rotation.ts';
import {
  accountNotReady,
  backingOff,
  expiredForGood,
  GATES,
  hostNotAccepted,
  MINT_BRAKES,
  WRITE_BRAKES,
  type Hold,
} from './holds.ts';
import { allowedAt, mintAllowance, mintTimesField } from './mint-budget.ts';
import { describePlace, isSamePlace } from '../lifecycle/place.ts';
import { isRotationRequested } from './rotate-now.ts';
import { rotationTime } from '../lifecycle/schedule.ts';
import { first, hostInForce, isExpired, type Policy, type Situation } from './situation.ts';

export type MintReason =
  | 'FirstIssue'
  | 'SpecChanged'
  | 'PlaceChanged'
  | 'RotationRequested'
  | 'AccountRotation'
  | 'TokenLost'
  | 'TokenExpired'
  | 'RenewalDue'
  | 'RotationDue';

export type WriteReason = 'SecretMissing' | 'SecretTakenOver' | 'SecretAltered' | 'SecretOutdated';

/** What to do next about a RegistryToken, and why. */
export type Decision =
  /** Find out what came of a mint that was begun; `stranded`: without its registry, which can't be asked any more. */
  | { action: 'settle'; intent: MintIntent; stranded: boolean }
  | { action: 'mint'; reason: MintReason; message: string; place: Place }
  /** Write the Secret again, with the token there is; `held`: what is still not done after that. */
  | { action: 'write'; reason: WriteReason; message: string; held: Hold | undefined }
  /** Find out whether the registry accepts the token at the host that the account names now, and put that into the Secret if so. */
  | { action: 'move' }
  | Hold
  /** All is as it should be until `until` (undefined: for ever). */
  | { action: 'rest'; until: number | undefined };

interface Need<R> {
  reason: R;
  message: string;
}

/** What calls for another token, in the order in which it is named as the reason. */
const MINT_POLICIES: readonly Policy<Need<MintReason>>[] = [
  neverIssued,
  identityChanged,
  placeChanged,
  rotationRequested,
  accountRotationRequested,
  tokenLost,
  tokenExpired,
  renewalDue,
  rotationDue,
];

/** What calls for writing the Secret again. */
const WRITE_POLICIES: readonly Policy<Need<WriteReason>>[] = [
  secretMissing,
  secretTakenOver,
  secretAltered,
  secretOutdated,
];

/** Decides the next step for a RegistryToken that may have what it wants. Pure: same situation, same decision. */
export function decide(situation: Situation): Decision {
  const gate = first(GATES, situation);
  if (gate) return gate;
  const next = another(situation);
  if (next && next.action !== 'hold') return next;
  const write = canWrite(situation) ? first(WRITE_POLICIES, situation) : undefined;
  if (!write)
    return (
      next ?? move(situation) ?? expiredForGood(situation) ?? { action: 'rest', until: scheduled(situation) }
    );
  const brake = first(WRITE_BRAKES, situation);
  if (!brake) return { action: 'write', ...write, held: next };
  return next ? { ...next, until: earlier(next.until, brake.until) } : brake;
}

/** What is to be done to get another token, if one is called for. */
function another(
  situation: Situation,
): Extract<Decision, { action: 'settle' | 'mint' | 'hold' }> | undefined {
  const { mintIntent: intent } = situation.token.status ?? {};
  if (intent)
    return backingOff(situation) ?? { action: 'settle', intent, stranded: situation.intentIsStranded };
  const needs = MINT_POLICIES.flatMap((policy) => policy(situation) ?? []);
  if (needs.length === 0) return undefined;
  const { place } = situation.wanted;
  // Where it is not known in which account, the account was not looked at yet, or does not work.
  if (!place) return first(MINT_BRAKES, situation) ?? accountNotReady(situation);
  const brake = first(MINT_BRAKES, situation);
  if (brake) return brake;
  const [need] = needs;
  // Where one exchange serves all, there is nothing to run out of.
  return situation.wanted.issue === 'exchanged' && need
    ? { action: 'mint', ...need, place }
    : withinBudget(needs, place, situation);
}

/** The first need that the mint budget has room for: what people ask for and what the schedule needs do not hold up each other. */
function withinBudget(
  needs: readonly Need<MintReason>[],
  place: Place,
  { token: { status }, spec, wanted, mintBudget, now }: Situation,
): Extract<Decision, { action: 'mint' | 'hold' }> {
  const waiting: Hold[] = [];
  const rhythm = { lifetime: wanted.lifetime, rotation: spec.rotation };
  for (const need of needs) {
    const allowance = mintAllowance(need.reason, mintBudget, status, rhythm);
    const until = allowedAt(status?.[mintTimesField(need.reason)], allowance, now);
    if (until === undefined) return { action: 'mint', ...need, place };
    waiting.push({
      action: 'hold',
      reason: 'MintBudgetExceeded',
      message: `${need.message}, but ${allowance.count} tokens were issued within ${formatDuration(allowance.window)}, as many as the operator's mint budget allows; will issue the next at ${toTime(until)}`,
      until,
    });
  }
  return waiting.reduce((soonest, each) => ((each.until ?? 0) < (soonest.until ?? 0) ? each : soonest));
}

/** Whether there is a token to write the Secret with: one that lives. It is written with the host that goes with it. */
function canWrite(situation: Situation): boolean {
  const { token, tokenIsGone } = situation;
  return token.status?.token !== undefined && !tokenIsGone && !isExpired(situation);
}

/** What is to be done where the account names another host for the token there is. */
function move(situation: Situation): Decision | undefined {
  const { token, wanted } = situation;
  if (!canWrite(situation) || hostInForce(token.status ?? {}, wanted) === wanted.host) return undefined;
  return hostNotAccepted(situation) ?? { action: 'move' };
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

/** When the token in force is to be replaced, as `rotationTime` tells. */
export function scheduled({ token, spec }: Pick<Situation, 'token' | 'spec'>): number | undefined {
  const record = token.status?.token;
  return record && rotationTime(record, spec.rotation, token.metadata.uid);
}

// What calls for another token

function neverIssued({ token }: Situation): Need<MintReason> | undefined {
  if (token.status?.token) return undefined;
  return { reason: 'FirstIssue', message: 'no token has been issued yet' };
}

function identityChanged({ token, wanted }: Situation): Need<MintReason> | undefined {
  if (token.status?.token?.specHash === wanted.specHash) return undefined;
  return {
    reason: 'SpecChanged',
    message: 'the account, region, access, lifetime or scope asked for has changed',
  };
}

/** What an endpoint or an account is called says nothing of tokens that were issued at another. */
function placeChanged({ token, wanted }: Situation): Need<MintReason> | undefined {
  const record = token.status?.token;
  if (!record || !wanted.place || isSamePlace(record.place, wanted.place)) return undefined;
  return {
    reason: 'PlaceChanged',
    message: `RegistryAccount ${wanted.account} issues tokens at ${describePlace(wanted.place)} now`,
  };
}

function rotationRequested({ token }: Situation): Need<MintReason> | undefined {
  if (!isRotationRequested(token)) return undefined;
  return { reason: 'RotationRequested', message: `annotation ${ROTATE_ANNOTATION} has a new value` };
}

function accountRotationRequested({ token, wanted }: Situation): Need<MintReason> | undefined {
  const { account, accountRotation } = wanted;
  if (!isToRotate(token, accountRotation)) return undefined;
  return {
    reason: 'AccountRotation',
    message: `spec.rotation.requestedAt of RegistryAccount ${account} has a new value`,
  };
}

function tokenLost({ tokenIsGone }: Situation): Need<MintReason> | undefined {
  if (!tokenIsGone) return undefined;
  return {
    reason: 'TokenLost',
    message: 'the registry no longer has the token, or does not give its value again',
  };
}

function tokenExpired(situation: Situation): Need<MintReason> | undefined {
  if (situation.spec.rotation.policy === 'Manual' || !isExpired(situation)) return undefined;
  return { reason: 'TokenExpired', message: 'the token has expired' };
}

function renewalDue({ token, spec, registryNow }: Situation): Need<MintReason> | undefined {
  const expiresAt = token.status?.token?.expiresAt;
  if (expiresAt === undefined || !isDue(scheduled({ token, spec }), registryNow)) return undefined;
  return { reason: 'RenewalDue', message: `the token expires at ${expiresAt}` };
}

function rotationDue({ token, spec, registryNow }: Situation): Need<MintReason> | undefined {
  const { rotateEvery } = spec.rotation;
  if (rotateEvery === undefined || !isDue(scheduled({ token, spec }), registryNow)) return undefined;
  return { reason: 'RotationDue', message: `it is replaced every ${formatDuration(rotateEvery)}` };
}

const isDue = (time: number | undefined, now: number): boolean => time !== undefined && time <= now;

// What calls for writing the Secret

function secretMissing({ secret, spec }: Situation): Need<WriteReason> | undefined {
  if (secret.state !== 'absent') return undefined;
  return { reason: 'SecretMissing', message: `Secret ${spec.secret.name} is not there` };
}

function secretTakenOver({ secret }: Situation): Need<WriteReason> | undefined {
  if (secret.state !== 'ours' || !secret.takeover) return undefined;
  return { reason: 'SecretTakenOver', message: secret.takeover.message };
}

function secretAltered({ secret, spec, token }: Situation): Need<WriteReason> | undefined {
  if (secret.state !== 'ours' || secret.holds === token.status?.token?.id) return undefined;
  const editor = secret.editor === undefined ? 'somebody' : secret.editor;
  return { reason: 'SecretAltered', message: `Secret ${spec.secret.name} was changed by ${editor}` };
}

function secretOutdated({ secret, spec }: Situation): Need<WriteReason> | undefined {
  if (secret.state !== 'ours' || secret.current) return undefined;
  return {
    reason: 'SecretOutdated',
    message: `hosts, labels, annotations or owner of Secret ${spec.secret.name} are not as wanted`,
  };
}
