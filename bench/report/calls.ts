import type { Side } from '../contenders.ts';
import type { Measurement } from '../measure/measurement.ts';
import { counts, type Table } from './table.ts';

/** Calls to the API server and the registry, a token. */
export function callsOf(rounds: readonly Record<Side, Measurement<unknown>>[], count: number): Table {
  const side = (name: Side): ReadonlyMap<string, number>[] =>
    rounds.map((round) => callsAndRequests(round[name]));
  return counts('calls a token', { floor: side('floor'), operator: side('operator') }, count);
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
