import type { ApiRequest } from './request.ts';

/** Which requests a fault strikes; what is left out matches all. */
export interface FaultMatch {
  method?: string;
  path?: RegExp;
  watch?: boolean;
  /** What the client says of itself. */
  userAgent?: RegExp;
}

/**
 * `status`: answered with that error · `reset`: the connection breaks, nothing happens · `drop-after-effect`: it happens,
 * then the connection breaks · `stall`: matching watches, open or new, stay silent · `slow`: answered late.
 */
export type FaultEffect =
  | { kind: 'status'; code: number; reason?: string; message?: string; retryAfterSeconds?: number }
  | { kind: 'reset' | 'drop-after-effect' | 'stall' }
  | { kind: 'slow'; milliseconds: number };

export type Fault = FaultEffect & {
  match?: FaultMatch;
  /** How many requests it strikes; until removed when left out. */
  times?: number;
};

/** Failures that a test orders. */
export class Faults {
  readonly #faults = new Map<Fault, number>();

  /** @returns a function that takes the fault away again */
  add(fault: Fault): () => void {
    this.#faults.set(fault, fault.times ?? Infinity);
    return () => this.#faults.delete(fault);
  }

  clear(): void {
    this.#faults.clear();
  }

  /** The fault that strikes this request, in the order they were added; counts as one of its times. */
  take(request: ApiRequest): Fault | undefined {
    for (const [fault, left] of this.#faults) {
      if (fault.kind === 'stall' || !matches(fault.match ?? {}, request)) continue;
      if (left > 1) this.#faults.set(fault, left - 1);
      else this.#faults.delete(fault);
      return fault;
    }
    return undefined;
  }

  /** Whether this watch must stay silent now. */
  stalls(request: ApiRequest): boolean {
    return [...this.#faults.keys()].some(
      (fault) => fault.kind === 'stall' && matches(fault.match ?? {}, request),
    );
  }
}

export function isWatch(request: ApiRequest): boolean {
  const watch = request.query.get('watch');
  return request.method === 'GET' && (watch === 'true' || watch === '1' || watch === '');
}

function matches(match: FaultMatch, request: ApiRequest): boolean {
  return (
    (match.method === undefined || match.method === request.method) &&
    (match.path === undefined || match.path.test(request.path)) &&
    (match.watch === undefined || match.watch === isWatch(request)) &&
    (match.userAgent === undefined || match.userAgent.test(request.headers['user-agent'] ?? ''))
  );
}
