/**
 * Fails the test in which a promise is rejected that nobody handles, as it would end the operator. Mocha alone lets it pass. Loaded
 * before the tests (see .mocharc.json).
 */
import type { RootHookObject } from 'mocha';

/** Mocha takes what is thrown here for what the test that runs threw. */
const fail = (reason: unknown): void => {
  throw reason;
};

export const mochaHooks: RootHookObject = {
  // Not as this loads: where files run side by side, mocha removes all listeners before each of them.
  beforeAll() {
    if (!process.listeners('unhandledRejection').includes(fail)) process.on('unhandledRejection', fail);
  },
};
