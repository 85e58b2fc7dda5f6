import type { RegistryErrorCode } from '../errors.ts';
import type { HttpAnswer } from './answer.ts';
import type { Problem } from './problem.ts';

/** How one API words its errors, and what to do about them. */
export interface ErrorDialect {
  /**
   * Reads an error; undefined when it is none of this API's.
   * @param body of the answer, if it is JSON
   */
  read(this: void, body: unknown, answer: HttpAnswer): Problem | undefined;
  /** Where an answer does not mean what its status means everywhere. */
  classify?(this: void, status: number, problem: Problem | undefined): RegistryErrorCode | undefined;
  /** What a reader of the message can do, by the API's own code. */
  adviceByProblem?: Readonly<Record<string, string>>;
  /** What a reader of the message can do, where it differs from the general advice. */
  advice?: Readonly<Partial<Record<RegistryErrorCode, string>>>;
}
