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

// Imported by a test file, this becomes a hook of the whole run.
after(async () => {
  await (await shared)?.close();
});
