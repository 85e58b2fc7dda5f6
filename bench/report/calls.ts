import type { Side } from '../contenders.ts';
import type { Measurement } from '../measure/measurement.ts';
import { counts, type Table } from './table.ts';

/** What both sides did, round by round. */
type Rounds = readonly Record<Side, Measurement<unknown>>[];

/** Calls to the API server and the registry, a token. */
export function callsOf(rounds: Rounds, count: number): Table {
  return counts('calls a token', sidesOf(rounds), count);
}

/** The same in all. */
export function callsInAll(rounds: Rounds): Table {
  return counts('calls', sidesOf(rounds), 1);
}

function sidesOf(rounds: Rounds): Record<Side, ReadonlyMap<string, number>[]> {
  const side = (name: Side): ReadonlyMap<string, number>[] =>
    rounds.map((round) => callsAndRequests(round[name]));
  return { floor: side('floor'), operator: side('operator') };
}

/** Calls of the operator alone, in all. */
export function callsOfOperator(rounds: readonly Measurement<unknown>[]): Table {
  return counts('calls', { operator: rounds.map(callsAndRequests) }, 1);
}

function callsAndRequests({ calls, requests }: Measurement<unknown>): ReadonlyMap<string, number> {
  const registry = Object.entries(requests)
    .filter(([, n]) => n > 0)
    .map(([operation, n]) => [`registry: ${operation}`, n] as const);
  return new Map([...calls, ...registry]);
}
