import type { Issued } from './copies.ts';
import type { BundledOperator } from './operator.ts';
import type { Table } from './report/table.ts';
import type { Stage } from './stage.ts';

/** What a scenario works with. */
export interface Bench {
  stage: Stage;
  operator: BundledOperator;
  /** RegistryTokens. */
  count: number;
  rounds: number;
  /** Foreign Secrets. */
  foreign: number;
  workers: number;
  /** What the operator made of one RegistryToken, to make copies of. */
  issued: () => Promise<Issued>;
  /** Says what goes on. */
  tell: (line: string) => void;
}

/** Something to measure. */
export interface Scenario {
  name: string;
  /** What it shows, for people. */
  title: string;
  /** RegistryTokens unless told. */
  count: number;
  run: (bench: Bench) => Promise<Table[]>;
}
