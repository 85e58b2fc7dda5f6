import { readFileSync } from 'node:fs';
import { shorten } from '../../src/api/syntax/text.ts';
import type { Mutant } from './mutant.ts';
import type { Verdict } from './trial.ts';

/** Parts of the source whose share is told, by the beginning of a path. */
const PARTS = ['src/token/', 'src/controller/', 'src/'];
const MAX_CHANGE = 100;

/** Whether tests noticed it. One that makes them wait for ever is noticed as well. */
export function isCaught({ fate }: Verdict): boolean {
  return fate === 'caught' || fate === 'timed out';
}

/** The share that was caught, 0 to 1; 1 when there is none to catch. */
export function share(verdicts: readonly Verdict[]): number {
  return verdicts.length === 0 ? 1 : verdicts.filter(isCaught).length / verdicts.length;
}

/** Lines that tell the survivors by file and line, and the shares. */
export function summary(verdicts: readonly Verdict[]): string[] {
  const survivors = verdicts
    .filter((verdict) => !isCaught(verdict))
    .sort((a, b) => a.mutant.file.localeCompare(b.mutant.file) || a.mutant.start - b.mutant.start);
  const lines = survivors.map(
    ({ mutant, fate }) => `${fate.padEnd(9)} ${mutant.file}:${mutant.line}  ${change(mutant)}`,
  );
  for (const part of PARTS) {
    const within = verdicts.filter(({ mutant }) => mutant.file.startsWith(part));
    const caught = within.filter(isCaught).length;
    lines.push(
      `${part.padEnd(16)} ${caught} of ${within.length} caught, ${(100 * share(within)).toFixed(1)} %`,
    );
  }
  return lines;
}

/** What a mutant replaces by what, in one line. */
export function change({ file, start, end, replacement }: Mutant): string {
  const [before, after] = [readFileSync(file, 'utf8').slice(start, end), replacement].map((text) =>
    shorten(text.replaceAll(/\s+/g, ' '), MAX_CHANGE),
  );
  return `${before}  →  ${after}`;
}
