import type { RegistryErrorCode } from '../errors.ts';
import type { HttpAnswer } from './answer.ts';
import type { Problem } from './problem.ts';

/** The error format of one API, and advice for its errors. */
export interface ErrorDialect {
  /**
   * Parses an error; undefined when it does not have this API's format.
   * @param body of the answer, if it is JSON
   */
  read(this: void, body: unknown, answer: HttpAnswer): Problem | undefined;
  /** Overrides the general meaning of a status. */
  classify?(this: void, status: number, problem: Problem | undefined): RegistryErrorCode | undefined;
  /** Advice by the API's own code. */
  adviceByProblem?: Readonly<Record<string, string>>;
  /** Advice that replaces the general one. */
  advice?: Readonly<Partial<Record<RegistryErrorCode, string>>>;
}
