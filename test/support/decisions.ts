import { expect } from 'chai';
import { decide } from '../../src/token/decide/decision.ts';
import { anIntent, aRecord, aSituation, at, HOUR, ISSUED, MINUTE, SECOND } from './builders.ts';

/** When a situation takes place unless it says otherwise: an hour after the token was issued. */
export const NOW = ISSUED + HOUR;
/** When a failure as in `failing` may be tried again. */
export const RETRY = NOW + 50 * SECOND;
export const ROTATE = 'pullsecrets.dev/rotate';

// Parts of a status.

/** A failure 10 s ago, to be tried again in 50 s. */
export const failing = (reason = 'RegistryUnavailable', message = 'us.icr.io does not answer') => ({
  failedAttempts: 3,
  lastFailure: { time: at(HOUR - 10 * SECOND), reason, message },
  nextRetryTime: at(HOUR + 50 * SECOND),
});
/** A token that is to be replaced by now. */
export const due = { token: aRecord({ expiresAt: at(80 * MINUTE) }) };
export const expired = { token: aRecord({ expiresAt: at(30 * MINUTE) }) };
const { specHash } = aSituation({ token: { spec: { lifetime: 'Never' } } }).wanted;
export const forEver = { token: aRecord({ expiresAt: undefined, specHash }) };
/** As many mints within the hour as the budget allows. */
export const budgetSpent = { mintTimes: [5, 10, 15, 20, 25].map((minute) => at(minute * MINUTE)) };
/** As many tokens within the hour as people may ask for. */
export const askedSpent = {
  requestedMintTimes: Array.from({ length: 20 }, (_, minute) => at((minute + 1) * MINUTE)),
};
/** A mint whose result is not known. */
export const open = { mintIntent: anIntent() };

export const mint = (reason: string) => ({ action: 'mint', reason });

type Row = [name: string, situation: Parameters<typeof aSituation>[0], decision: Record<string, unknown>];

/** Specifies, row by row, what is decided in a situation. */
export function decisions(rows: readonly Row[]): void {
  for (const [name, situation, decision] of rows) {
    it(name, () => expect(decide(aSituation(situation))).to.deep.include(decision));
  }
}
