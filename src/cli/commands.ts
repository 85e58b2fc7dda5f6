import type { Command } from './command.ts';
import { ADOPT } from './commands/adopt.ts';
import { CHECK } from './commands/check.ts';
import { COMPLETION } from './commands/completion.ts';
import { CREATE } from './commands/create.ts';
import { GET } from './commands/get.ts';
import { IMPACT } from './commands/impact.ts';
import { REPORT } from './commands/report.ts';
import { ROTATE } from './commands/rotate.ts';
import { STATUS } from './commands/status.ts';
import { RESUME, SUSPEND } from './commands/suspend.ts';
import { WHY } from './commands/why.ts';

/** Every command, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  STATUS,
  WHY,
  GET,
  CREATE,
  ROTATE,
  CHECK,
  SUSPEND,
  RESUME,
  ADOPT,
  IMPACT,
  REPORT,
  COMPLETION,
];
