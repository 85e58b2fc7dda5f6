import { World } from './world.ts';

let shared: Promise<World> | undefined;

/** The world that integration tests share, its operator running: starting one takes longer than a test. */
export function sharedWorld(): Promise<World> {
  shared ??= World.start().then((world) => {
    world.startOperator();
    return world;
  });
  return shared;
}

/** Mocha loads this from .mocharc.json. */
export const mochaHooks = {
  async afterAll(): Promise<void> {
    await (await shared)?.close();
  },
};
