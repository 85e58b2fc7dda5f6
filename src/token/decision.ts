import type { Reason } from '../api/conditions.ts';
import { formatDuration } from '../api/duration.ts';
import { ROTATE_ANNOTATION } from '../api/names.ts';
import type { MintIntent, RegistryToken, TokenSpec } from '../api/registry-token.ts';
import { fromTime, toTime } from '../api/time.ts';
import type { Wanted } from './eligibility.ts';
import { budgetFreeAt } from './mint-budget.ts';
import { expiryOf, rotationTime } from './schedule.ts';
import type { SecretView } from './secret-view.ts';

/** Everything a decision is made from. Times in milliseconds since 1970. */
export interface Situation {
  now: number;
  token: RegistryToken;
  spec: TokenSpec;
  wanted: Wanted;
  secret: SecretView;
  /** Name of an older RegistryToken in the namespace that wants the same Secret. */
  olderClaimant: string | undefined;
  /** Why the account can't mint at present; undefined when it can. */
  accountProblem: string | undefined;
  /** When the account or its credentials last changed, as far as this process saw. */
  accountChangedAt: number | undefined;
  /** The registry says that the recorded token is gone. */
  tokenIsGone: boolean;
  /** Mints allowed in an hour. */
  mintBudget: number;
  /** Not before this is the Secret written again, because somebody else keeps changing it. */
  contestedUntil: number | undefined;
}

export type MintReason =
  | 'FirstIssue'
  | 'SpecChanged'
  | 'RotationRequested'
  | 'TokenLost'
  | 'TokenExpired'
  | 'RenewalDue'
  | 'RotationDue';

export type WriteReason = 'SecretMissing' | 'SecretAltered' | 'SecretOutdated';

/** What to do next about a RegistryToken, and why. */
export type Decision =
  /** Find out what came of a mint that was begun. */
  | { action: 'settle'; intent: MintIntent }
  | { action: 'mint'; reason: MintReason; message: string }
  /** Write the Secret again, with the token there is. */
  | { action: 'write'; reason: WriteReason; message: string }
  /** Something is to be done, but not now; `until` undefined: not before somebody changes something. */
  | { action: 'hold'; reason: Reason; message: string; until: number | undefined }
  /** All is as it should be until `until` (undefined: for ever). */
  | { action: 'rest'; until: number | undefined };

interface Need<R> {
  reason: R;
  message: string;
}
type Policy<T> = (situation: Situation) => T | undefined;
type Hold = Extract<Decision, { action: 'hold' }>;

/** While one of these applies, nothing is done at all. */
const GATES: readonly Policy<Hold>[] = [suspended, secretClaimedByOlder, secretIsForeign];

/** What calls for another token, in the order in which it is named as the reason. */
const MINT_POLICIES: readonly Policy<Need<MintReason>>[] = [
  neverIssued,
  identityChanged,
  rotationRequested,
  tokenLost,
  tokenExpired,
  renewalDue,
  rotationDue,
];

/** What keeps a wanted mint waiting. */
const MINT_BRAKES: readonly Policy<Hold>[] = [
  secretIsLocked,
  accountNotReady,
  backingOff,
  mintBudgetExceeded,
];

/** What calls for writing the Secret again. */
const WRITE_POLICIES: readonly Policy<Need<WriteReason>>[] = [secretMissing, secretAltered, secretOutdated];

/** What keeps a wanted write waiting. */
const WRITE_BRAKES: readonly Policy<Hold>[] = [secretIsLocked, secretContested, backingOff];

/** Decides the next step for a RegistryToken that may have what it wants. Pure: same situation, same decision. */
export function decide(situation: Situation): Decision {
  const gate = first(GATES, situation);
  if (gate) return gate;
  const { mintIntent } = situation.token.status ?? {};
  if (mintIntent) return backingOff(situation) ?? { action: 'settle', intent: mintIntent };
  const mint = first(MINT_POLICIES, situation);
  const held = mint && first(MINT_BRAKES, situation);
  if (mint && !held) return { action: 'mint', ...mint };
  const write = first(WRITE_POLICIES, situation);
  if (write) return first(WRITE_BRAKES, situation) ?? { action: 'write', ...write };
  return held ?? expiredForGood(situation) ?? { action: 'rest', until: scheduled(situation) };
}

/** When the token in force is to be replaced, as `rotationTime` tells. */
export function scheduled({ token, spec }: Pick<Situation, 'token' | 'spec'>): number | undefined {
  const record = token.status?.token;
  return record && rotationTime(record, spec.rotation, token.metadata.uid);
}

function first<T>(policies: readonly Policy<T>[], situation: Situation): T | undefined {
  for (const policy of policies) {
    const verdict = policy(situation);
    if (verdict !== undefined) return verdict;
  }
  return undefined;
}

// Gates

function suspended({ spec }: Situation): Hold | undefined {
  if (!spec.suspend) return undefined;
  return hold('Suspended', 'spec.suspend is true: nothing is touched until it is false');
}

function secretClaimedByOlder({ olderClaimant, spec }: Situation): Hold | undefined {
  if (olderClaimant === undefined) return undefined;
  return hold(
    'SecretConflict',
    `RegistryToken ${olderClaimant} is older and writes Secret ${spec.secret.name}; choose another spec.secret.name`,
  );
}

function secretIsForeign({ secret, now }: Situation): Hold | undefined {
  if (secret.state !== 'foreign') return undefined;
  // A foreign Secret carries no label of ours, so no watch tells when it goes: look again now and then.
  return hold('SecretConflict', secret.message, now + LOOK_AGAIN);
}

const LOOK_AGAIN = 60_000;

// What calls for another token

function neverIssued({ token }: Situation): Need<MintReason> | undefined {
  if (token.status?.token) return undefined;
  return { reason: 'FirstIssue', message: 'no token has been issued yet' };
}

function identityChanged({ token, wanted }: Situation): Need<MintReason> | undefined {
  if (token.status?.token?.specHash === wanted.specHash) return undefined;
  return { reason: 'SpecChanged', message: 'the account, region, access or lifetime asked for has changed' };
}

function rotationRequested({ token }: Situation): Need<MintReason> | undefined {
  const requested = rotateValue(token);
  if (requested === undefined || requested === token.status?.lastHandledRotate) return undefined;
  return { reason: 'RotationRequested', message: `annotation ${ROTATE_ANNOTATION} has a new value` };
}

/** Value of the rotate-now annotation, cut to what is echoed in the status. */
export function rotateValue(token: RegistryToken): string | undefined {
  return token.metadata.annotations?.[ROTATE_ANNOTATION]?.slice(0, 256);
}

function tokenLost({ tokenIsGone }: Situation): Need<MintReason> | undefined {
  if (!tokenIsGone) return undefined;
  return { reason: 'TokenLost', message: 'the registry no longer has the token' };
}

function tokenExpired({ token, spec, now }: Situation): Need<MintReason> | undefined {
  if (spec.rotation.policy === 'Manual' || !isExpired(token, now)) return undefined;
  return { reason: 'TokenExpired', message: 'the token has expired' };
}

function renewalDue(situation: Situation): Need<MintReason> | undefined {
  const { spec, now, token } = situation;
  const due = scheduled(situation);
  if (spec.lifetime === 'Never' || due === undefined || due > now) return undefined;
  return {
    reason: 'RenewalDue',
    message: `the token expires at ${token.status?.token?.expiresAt ?? 'no time'}`,
  };
}

function rotationDue(situation: Situation): Need<MintReason> | undefined {
  const due = scheduled(situation);
  if (due === undefined || due > situation.now) return undefined;
  const { rotateEvery = 0 } = situation.spec.rotation;
  return { reason: 'RotationDue', message: `it is replaced every ${formatDuration(rotateEvery)}` };
}

// What keeps a mint or a write waiting

function secretIsLocked({ secret, spec, now }: Situation): Hold | undefined {
  if (secret.state !== 'ours' || !secret.locked) return undefined;
  return hold(
    'SecretConflict',
    `Secret ${spec.secret.name} is immutable and can't be written; delete it, and it is made anew`,
    now + LOOK_AGAIN,
  );
}

function accountNotReady({ accountProblem, wanted }: Situation): Hold | undefined {
  if (accountProblem === undefined) return undefined;
  return hold('AccountNotReady', `RegistryAccount ${wanted.account} is not ready: ${accountProblem}`);
}

/** A failure holds things back until its retry time, unless what failed has been changed since. */
function backingOff({ token, now, accountChangedAt }: Situation): Hold | undefined {
  const { status } = token;
  const retry = fromTime(status?.nextRetryTime);
  if (retry === undefined || retry <= now) return undefined;
  if (status?.observedGeneration !== token.metadata.generation) return undefined;
  // Status times are whole seconds: a change within the second of the failure may have come before it.
  const failure = fromTime(status?.lastFailureTime) ?? 0;
  if (accountChangedAt !== undefined && accountChangedAt >= failure + 1000) return undefined;
  const cause = status?.conditions?.find(({ type }) => type === 'Stalled' || type === 'Reconciling');
  return hold((cause?.reason as Reason | undefined) ?? 'Issuing', cause?.message ?? 'a try failed', retry);
}

function mintBudgetExceeded({ token, mintBudget, now }: Situation): Hold | undefined {
  const free = budgetFreeAt(token.status?.mintTimes, mintBudget, now);
  if (free === undefined) return undefined;
  return hold(
    'MintBudgetExceeded',
    `${mintBudget} tokens were created within an hour, which is the budget; the next at ${toTime(free)}`,
    free,
  );
}

function secretContested({ secret, spec, contestedUntil, now }: Situation): Hold | undefined {
  if (contestedUntil === undefined || contestedUntil <= now) return undefined;
  const editor = (secret.state === 'ours' && secret.editor) || 'somebody';
  return hold(
    'SecretContested',
    `${editor} keeps changing Secret ${spec.secret.name}; it is repaired again at ${toTime(contestedUntil)}. Stop the other writer, or choose another spec.secret.name`,
    contestedUntil,
  );
}

// What calls for writing the Secret

function secretMissing({ secret, spec }: Situation): Need<WriteReason> | undefined {
  if (secret.state !== 'absent') return undefined;
  return { reason: 'SecretMissing', message: `Secret ${spec.secret.name} is not there` };
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

/** With rotation by hand only, an expired token stays until somebody asks. */
function expiredForGood({ token, now }: Situation): Hold | undefined {
  if (!isExpired(token, now)) return undefined;
  return hold(
    'TokenExpired',
    `the token has expired and spec.rotation.policy is Manual; ask for a rotation with annotation ${ROTATE_ANNOTATION}`,
  );
}

function isExpired({ status }: RegistryToken, now: number): boolean {
  return status?.token !== undefined && expiryOf(status.token) <= now;
}

function hold(reason: Reason, message: string, until?: number): Hold {
  return { action: 'hold', reason, message, until };
}
