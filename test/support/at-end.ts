/** Closes what tests share. Loaded before the tests, and before what judges the whole run (see .mocharc.json). */
import type { RootHookObject } from 'mocha';

const closings: (() => Promise<void>)[] = [];

/** Does that after the last test of the run, or of the file where files run side by side (`mocha --parallel`). */
export function atEnd(close: () => Promise<void>): void {
  closings.push(close);
}

export const mochaHooks: RootHookObject = {
  async afterAll() {
    for (const close of closings.splice(0)) await close();
  },
};
