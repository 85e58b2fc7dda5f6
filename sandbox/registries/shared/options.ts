import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../../../src/api/syntax/duration.ts';

/** A command line that can't be followed. Its message holds no value of an option. */
export class UsageError extends Error {}

/** A parser of a duration in milliseconds, for an option. @throws InvalidArgumentError */
export function duration(minimum: number): (text: string) => number {
  return (text) => {
    const value = parseDuration(text);
    if (value === undefined || value < minimum)
      throw new InvalidArgumentError('It takes a duration such as 90s, 5m or 24h.');
    return value;
  };
}

/** A parser of a port number, for an option; 0: any free one. @throws InvalidArgumentError */
export function port(text: string): number {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : Infinity;
  if (value > 65_535) throw new InvalidArgumentError('It takes a number from 0 to 65535.');
  return value;
}

/** A parser for an option that can be given several times. @param parse of one value */
export function repeated<T>(parse: (text: string) => T): (text: string, before?: readonly T[]) => T[] {
  return (text, before = []) => [...before, parse(text)];
}
