import type { Clock } from '../../../src/common/clock.ts';
import type { FaultKind } from './fault.ts';
import { answerWithFault, type Faults } from './faults.ts';
import { pathOf, text, type Answer, type Request } from './message.ts';

/** What was done to a token; never its value. Times in milliseconds since 1970. */
export interface TokenEvent {
  time: number;
  id: string;
  description: string;
  /** null when it never expires. */
  expiresAt: number | null;
}

/** What every fake tells of. */
export interface FakeRegistryEvents {
  issued: [TokenEvent];
  revoked: [TokenEvent];
  answered: [Answered<string>];
}

/** A registry to try and test with. It holds no socket. */
export interface FakeRegistry {
  /** The registry as it stands in image names; `serve` fills in the address that it listens on. */
  host: string | undefined;
  /** Where clients of its registry get bearer tokens: the path, and the name of the service that they are for. */
  readonly tokenEndpoint: { path: string; service: string };
  readonly faults: Faults;
  /**
   * @param signal aborts when the client has left; ends only a wait that a fault asked for
   * @throws ConnectionBroken in place of an answer, when a fault asks for it
   */
  handle(request: Request, signal?: AbortSignal): Promise<Answer>;
  /** The certificate that a registry needs to accept the bearer tokens (its rootcertbundle), PEM. */
  certificate(): Promise<string>;
  /** Every credential there ever was, for a search of logs and the like for leaks. */
  values(): string[];
  on(event: 'issued' | 'revoked', listener: (event: TokenEvent) => void): unknown;
  on(event: 'answered', listener: (report: Answered<string>) => void): unknown;
  once(event: 'issued' | 'revoked', listener: (event: TokenEvent) => void): unknown;
  off(event: 'issued' | 'revoked', listener: (event: TokenEvent) => void): unknown;
  off(event: 'answered', listener: (report: Answered<string>) => void): unknown;
  /** The tokens that clients of the API made and that work. */
  tokens(): { id: string; description: string }[];
  /** Id of the token with this value, if it works. */
  tokenOf(value: string): string | undefined;
  /** Ids of what clients of the API made and that is still there: tokens, expired or not, and what they hang on. */
  left(): string[];
}

/** One path of an API. */
export interface Path<Operation extends string> {
  pattern: RegExp;
  /** Method -> what it does. */
  operations: Readonly<Record<string, Operation>>;
  /** The documented answer of a status, in the form of the API that the path is part of. */
  problem: (status: number) => Answer;
}

/** A request was answered, or its connection broken: then there is no status. */
export interface Answered<Operation extends string> {
  time: number;
  operation: Operation;
  status?: number;
  fault?: FaultKind;
  /** Why the fake could not do it. */
  error?: Error;
}

export interface RequestHandlerOptions<Operation extends string> {
  clock: Clock;
  faults: Faults;
  paths: readonly Path<Operation>[];
  /** Does what a request asks for. `lifetime` of a credential that it issues, in milliseconds, where a fault tells it. */
  perform: (operation: Operation, request: Request, lifetime?: number) => Answer | Promise<Answer>;
  answered: (report: Answered<Operation>) => void;
  /** So many rows of a list that can be lengthened, and its end. */
  moreRows?: (count: number) => Iterable<string>;
  /** An error that means a 500 and is reported; every other is thrown. */
  isFailure?: (error: unknown) => error is Error;
}

/** Finds what a request is for, lets a fault happen where one was asked for, and dates the answer by the fake's own clock. */
export class RequestHandler<Operation extends string> {
  readonly #options: RequestHandlerOptions<Operation>;

  constructor(options: RequestHandlerOptions<Operation>) {
    this.#options = options;
  }

  /** As `FakeRegistry.handle`. */
  async handle(request: Request, signal: AbortSignal | undefined): Promise<Answer> {
    const {
      paths,
      clock,
      faults,
      answered,
      isFailure = (): boolean => false,
      moreRows = () => [],
    } = this.#options;
    const path = paths.find(({ pattern }) => pattern.test(pathOf(request)));
    if (!path) return this.#dated(text(404, '404 page not found'));
    const { problem, operations } = path;
    const operation = operations[request.method];
    if (operation === undefined) {
      const refusal = problem(405);
      const allow = Object.keys(operations).join(', ');
      return this.#dated({ ...refusal, headers: { ...refusal.headers, allow } });
    }
    const fault = faults.take(operation);
    const outcome: Pick<Answered<Operation>, 'status' | 'error'> = {};
    try {
      const perform = async (lifetime?: number): Promise<Answer> =>
        this.#options.perform(operation, request, lifetime);
      const answer = fault
        ? await answerWithFault(fault, { clock, problem, perform, signal, moreRows })
        : await perform();
      outcome.status = answer.status;
      return this.#dated(answer);
    } catch (error) {
      if (!isFailure(error)) throw error;
      outcome.error = error as Error;
      outcome.status = 500;
      return this.#dated(problem(500));
    } finally {
      answered({ time: clock.now(), operation, ...(fault && { fault: fault.kind }), ...outcome });
    }
  }

  #dated(answer: Answer): Answer {
    const date = new Date(this.#options.clock.now()).toUTCString();
    return { ...answer, headers: { date, ...answer.headers } };
  }
}
