import { atEnd } from './at-end.ts';
import { World } from './world.ts';

let shared: Promise<World> | undefined;

/** The world that integration tests share, its operator running: starting one takes longer than a test. */
export function sharedWorld(): Promise<World> {
  shared ??= start();
  return shared;
}

async function start(): Promise<World> {
  const world = await World.start();
  atEnd(async () => {
    shared = undefined;
    await world.close();
  });
  world.startOperator();
  return world;
}
