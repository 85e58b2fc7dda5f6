/** What a client asked the service to do. */
export const OPERATIONS = ['mint', 'read', 'revoke', 'list', 'exchange', 'auth', 'enter'] as const;
export type Operation = (typeof OPERATIONS)[number];

interface FaultScope {
  operation: Operation;
  /** How many requests it hits; without it, every one until the faults are cleared. */
  times?: number;
}

/** Something that goes wrong, with requests of one operation. */
export type Fault = FaultScope &
  (
    | {
        /** The documented answer of that status, before any effect. */
        kind: 'status';
        status: number;
        /** Retry-After, whole seconds. */
        retryAfter?: number;
      }
    /** A proxy's HTML page, before any effect; 502 unless told. */
    | { kind: 'html'; status?: number }
    /** The connection breaks, before any effect. */
    | { kind: 'reset' }
    /** The effect happens, then the connection breaks. */
    | { kind: 'drop-after-effect' }
    /** The effect happens; the answer ends in the middle of its JSON. */
    | { kind: 'truncated-json' }
    /** The effect happens; the answer has no body. */
    | { kind: 'empty' }
    /** The effect happens; the token in the answer has claims that are not JSON. */
    | { kind: 'bad-jwt' }
    /** The effect happens; the answer comes after so many milliseconds. */
    | { kind: 'slow'; milliseconds: number }
    /** The token issued expired an hour ago. */
    | { kind: 'expired' }
    /** The list has so many rows more, of tokens that nobody made: made up while they are sent, they cost no memory. */
    | { kind: 'more-rows'; rows: number }
  );

export type FaultKind = Fault['kind'];

const ISSUING: readonly Operation[] = ['mint', 'exchange', 'auth'];

/** Kind -> the operations that it makes sense for. */
const APPLICABLE: Readonly<Record<FaultKind, readonly Operation[]>> = {
  status: OPERATIONS,
  html: OPERATIONS,
  reset: OPERATIONS,
  'drop-after-effect': OPERATIONS,
  'truncated-json': OPERATIONS.filter((operation) => operation !== 'revoke'),
  empty: OPERATIONS,
  'bad-jwt': [...ISSUING, 'read'],
  slow: OPERATIONS,
  expired: ISSUING,
  'more-rows': ['list'],
};

const NUMBERS: Readonly<Record<string, { kinds: readonly FaultKind[]; from: number; to: number }>> = {
  status: { kinds: ['status', 'html'], from: 200, to: 599 },
  retryAfter: { kinds: ['status'], from: 0, to: Number.MAX_SAFE_INTEGER },
  rows: { kinds: ['more-rows'], from: 1, to: Number.MAX_SAFE_INTEGER },
  milliseconds: { kinds: ['slow'], from: 0, to: Number.MAX_SAFE_INTEGER },
  times: { kinds: Object.keys(APPLICABLE) as FaultKind[], from: 1, to: Number.MAX_SAFE_INTEGER },
};

/**
 * Reads a fault out of JSON.
 * @throws FaultError that says which field is wrong
 */
export function parseFault(value: unknown): Fault {
  if (typeof value !== 'object' || value === null) throw new FaultError('a fault has to be an object');
  const fields = value as Record<string, unknown>;
  const operation = OPERATIONS.find((name) => name === fields.operation);
  if (!operation) throw new FaultError(`operation has to be one of ${OPERATIONS.join(', ')}`);
  const kind = (Object.keys(APPLICABLE) as FaultKind[]).find((name) => name === fields.kind);
  if (!kind) throw new FaultError(`kind has to be one of ${Object.keys(APPLICABLE).join(', ')}`);
  if (!APPLICABLE[kind].includes(operation)) {
    throw new FaultError(
      `${kind} makes no sense for ${operation}; it does for ${APPLICABLE[kind].join(', ')}`,
    );
  }
  for (const [name, given] of Object.entries(fields)) {
    if (name === 'operation' || name === 'kind') continue;
    const number = Object.hasOwn(NUMBERS, name) ? NUMBERS[name] : undefined;
    if (!number?.kinds.includes(kind)) throw new FaultError(`${kind} has no field ${name}`);
    if (!Number.isInteger(given) || Number(given) < number.from || Number(given) > number.to) {
      throw new FaultError(`${name} has to be a whole number from ${number.from} to ${number.to}`);
    }
  }
  for (const [name, needing] of Object.entries({
    status: 'status',
    milliseconds: 'slow',
    rows: 'more-rows',
  })) {
    if (kind === needing && fields[name] === undefined) throw new FaultError(`${kind} needs ${name}`);
  }
  return value as Fault;
}

/** A fault that there cannot be. */
export class FaultError extends Error {
  override readonly name = 'FaultError';
}
