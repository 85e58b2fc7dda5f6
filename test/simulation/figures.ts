import type { Choice } from './registries/registries.ts';

/** What came of one simulation. */
export interface Outcome {
  seed: number;
  /** The registry of each account. */
  choice: Choice;
  /** What must not be; none is good. */
  violations: string[];
  /** A line for each event, when they were asked for. */
  journal: string[];
  figures: Figures;
  /** Those of the boundaries that came before the calm. */
  boundariesInStorm: number;
  /** The numbers of those before which something had changed, or gone on its way, since the one before. */
  changedBefore: number[];
}

/** Counts over one simulation or many. */
export interface Figures {
  /** Timers fired: everything that took any time. */
  steps: number;
  /** Places where the operator could die: right before and right after every call with an effect. */
  boundaries: number;
  crashes: number;
  freezes: number;
  webhooks: number;
  /** Backups that were restored into their cluster. */
  restores: number;
  mints: number;
  /** Tokens that were exchanged. */
  exchanges: number;
  /** Tokens that came into force. */
  recorded: number;
  /** Tokens that were created and never came into force; all were revoked. */
  lost: number;
  /** Tokens that only the sweep could find. */
  swept: number;
}

export const NOTHING: Figures = {
  steps: 0,
  boundaries: 0,
  crashes: 0,
  freezes: 0,
  webhooks: 0,
  restores: 0,
  mints: 0,
  exchanges: 0,
  recorded: 0,
  lost: 0,
  swept: 0,
};

export function sum(a: Figures, b: Figures): Figures {
  const keys = Object.keys(NOTHING) as (keyof Figures)[];
  return Object.fromEntries(keys.map((key) => [key, a[key] + b[key]])) as unknown as Figures;
}

export function describeFigures({
  steps,
  boundaries,
  crashes,
  freezes,
  webhooks,
  restores,
  mints,
  exchanges,
  recorded,
  lost,
  swept,
}: Figures): string {
  return (
    `${steps} steps, ${boundaries} effect boundaries, ${crashes} crashes, ${freezes} freezes, ${webhooks} webhooks, ${restores} restores; ` +
    `${mints} tokens created: ${recorded} came into force, ${lost} were lost and revoked; ${swept} only the sweep could find; ${exchanges} exchanged`
  );
}
