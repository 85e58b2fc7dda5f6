import type { RegistryToken } from '../../src/api/registry-token.ts';
import type { Workload } from '../support/workload.ts';

/** Looks on while the operator is killed again and again. */
export interface Witness {
  /** The operator was killed. @throws AssertionError for what no crash may do */
  killed(): Promise<void>;
  /** Waits until every RegistryToken is as asked for. @throws Error that says what is not, after that long */
  whenInOrder(milliseconds: number): Promise<RegistryToken[]>;
  /** What it saw, for people. */
  figures(): string;
  /** What must not have happened; a line for each. */
  complaints(workload: Workload): string[];
  /** What is there still after all RegistryTokens were deleted. */
  left(): Promise<string[]>;
}
