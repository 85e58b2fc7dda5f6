import { z } from 'zod';
import { formatDuration, parseDuration } from '../api/syntax/duration.ts';

/** An address to listen on; no host means every interface. */
export interface BindAddress {
  host?: string;
  port: number;
}

const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const CLUSTER_ID = /^[A-Za-z0-9]([-.A-Za-z0-9]{0,61}[A-Za-z0-9])?$/;
const BIND_ADDRESS = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]*)):(\d{1,5})$/;

/** Text that `read` understands. Undefined from it refuses the text, with a message that says what is allowed. */
function value<T>(allowed: string, read: (text: string) => T | undefined) {
  return z.string().transform((input, context): T => {
    const result = read(input);
    if (result !== undefined) return result;
    context.issues.push({ code: 'custom', message: `must be ${allowed}`, input });
    return z.NEVER;
  });
}

export function oneOf<const T extends string>(choices: readonly T[]) {
  return value(`one of ${choices.join(', ')}`, (text) => choices.find((choice) => choice === text));
}

export function boolean() {
  return value('true or false', (text) => ({ true: true, false: false })[text]);
}

export function wholeNumber(least: number, most: number) {
  return value(`a whole number from ${least} to ${most}`, (text) => {
    const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    return number >= least && number <= most ? number : undefined;
  });
}

/** A duration of at least `least`; both in milliseconds. */
export function duration(least: number) {
  return value(`a duration such as 15s, 10m or 1h30m, at least ${formatDuration(least)}`, (text) => {
    const milliseconds = parseDuration(text);
    return milliseconds !== undefined && milliseconds >= least ? milliseconds : undefined;
  });
}

/** An address to listen on, or null for `0`: not to listen at all. */
export function bindAddress() {
  return value('an address such as :8080, 127.0.0.1:8080 or [::1]:8080, or 0 for none', readBindAddress);
}

function readBindAddress(text: string): BindAddress | null | undefined {
  if (text === '0') return null;
  const match = BIND_ADDRESS.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) return undefined;
  const host = match[1] ?? match[2];
  return host ? { host, port } : { port };
}

export function namespace() {
  return value('the name of a namespace', (text) => (NAMESPACE.test(text) ? text : undefined));
}

/** Names of namespaces, each once; empty text is none. */
export function namespaces() {
  return value('names of namespaces, separated by commas', (text) => {
    const names = text.split(',').map((name) => name.trim());
    const unique = [...new Set(names.filter((name) => name !== ''))];
    return unique.every((name) => NAMESPACE.test(name)) ? unique : undefined;
  });
}

/** What marks this cluster's tokens: a short word that survives in a token's description. */
export function clusterId() {
  return value('up to 63 letters, digits, dashes or dots', (text) =>
    CLUSTER_ID.test(text) ? text : undefined,
  );
}
