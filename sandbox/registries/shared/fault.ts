/** What clients can ask a fake registry to do, as far as faults need to know it. */
export interface Operations<Operation extends string = string> {
  all: readonly Operation[];
  /** Those that answer with a credential of a certain life: it can be unreadable, or dead. */
  issuing: readonly Operation[];
  /** Those that read a credential back. */
  reading?: readonly Operation[];
  /** Those whose answers have no body. */
  silent?: readonly Operation[];
  /** Lists that can be made longer. */
  lengthened?: readonly Operation[];
}

interface FaultScope {
  operation: string;
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

/** The operations that a kind of fault makes sense for. */
function applicable(
  kind: FaultKind,
  { all, issuing, reading = [], silent = [], lengthened = [] }: Operations,
): readonly string[] {
  if (kind === 'truncated-json') return all.filter((operation) => !silent.includes(operation));
  if (kind === 'bad-jwt') return [...issuing, ...reading];
  if (kind === 'more-rows') return lengthened;
  return kind === 'expired' ? issuing : all;
}

const KINDS = [
  'status',
  'html',
  'reset',
  'drop-after-effect',
  'truncated-json',
  'empty',
  'bad-jwt',
  'slow',
  'expired',
  'more-rows',
] as const satisfies readonly FaultKind[];

const NUMBERS: Readonly<Record<string, { kinds: readonly FaultKind[]; from: number; to: number }>> = {
  status: { kinds: ['status', 'html'], from: 200, to: 599 },
  retryAfter: { kinds: ['status'], from: 0, to: Number.MAX_SAFE_INTEGER },
  rows: { kinds: ['more-rows'], from: 1, to: Number.MAX_SAFE_INTEGER },
  milliseconds: { kinds: ['slow'], from: 0, to: Number.MAX_SAFE_INTEGER },
  times: { kinds: KINDS, from: 1, to: Number.MAX_SAFE_INTEGER },
};

/**
 * Reads a fault out of JSON.
 * @throws FaultError that says which field is wrong
 */
export function parseFault(value: unknown, operations: Operations): Fault {
  if (typeof value !== 'object' || value === null) throw new FaultError('a fault has to be an object');
  const fields = value as Record<string, unknown>;
  const operation = operations.all.find((name) => name === fields.operation);
  if (operation === undefined)
    throw new FaultError(`operation has to be one of ${operations.all.join(', ')}`);
  const kind = KINDS.find((name) => name === fields.kind);
  if (!kind) throw new FaultError(`kind has to be one of ${KINDS.join(', ')}`);
  const sensible = applicable(kind, operations);
  if (!sensible.includes(operation))
    throw new FaultError(`${kind} makes no sense for ${operation}; it does for ${sensible.join(', ')}`);
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
