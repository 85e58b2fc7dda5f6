import type { Scenario } from './scenario.ts';
import { burst } from './scenarios/burst.ts';
import { deletion } from './scenarios/deletion.ts';
import { failover } from './scenarios/failover.ts';
import { idle } from './scenarios/idle.ts';
import { memory } from './scenarios/memory.ts';
import { restart } from './scenarios/restart.ts';
import { rotation } from './scenarios/rotation.ts';
import { schedule } from './scenarios/schedule.ts';
import { single } from './scenarios/single.ts';
import { sweep } from './scenarios/sweep.ts';

/** Everything that can be measured, in the order in which it is. */
export const SCENARIOS: readonly Scenario[] = [
  burst,
  single,
  rotation,
  schedule,
  deletion,
  restart,
  idle,
  memory,
  sweep,
  failover,
];
