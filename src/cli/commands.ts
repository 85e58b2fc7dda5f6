import type { Command } from './command.ts';
import { ADOPT } from './commands/adopt.ts';
import { CHECK } from './commands/check.ts';
import { COMPLETION } from './commands/completion.ts';
import { CREATE } from './commands/create.ts';
import { GET } from './commands/get.ts';
import { IMPACT } from './commands/impact.ts';
import { LOGIN } from './commands/login.ts';
import { ORPHANS } from './commands/orphans.ts';
import { REPORT } from './commands/report.ts';
import { RESUME } from './commands/resume.ts';
import { REVOKE } from './commands/revoke.ts';
import { ROTATE } from './commands/rotate.ts';
import { STATUS } from './commands/status.ts';
import { SUSPEND } from './commands/suspend.ts';
import { TOKENS } from './commands/tokens.ts';
import { WHY } from './commands/why.ts';

/** Every command, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  STATUS,
  WHY,
  GET,
  CREATE,
  ROTATE,
  CHECK,
  LOGIN,
  SUSPEND,
  RESUME,
  TOKENS,
  ORPHANS,
  REVOKE,
  ADOPT,
  IMPACT,
  REPORT,
  COMPLETION,
];
