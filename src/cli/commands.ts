import type { Command } from './command.ts';
import { COMPLETION } from './commands/completion.ts';
import { GET } from './commands/get.ts';
import { REPORT } from './commands/report.ts';
import { STATUS } from './commands/status.ts';
import { WHY } from './commands/why.ts';

/** Every command, in the order of the help. */
export const COMMANDS: readonly Command[] = [GET, STATUS, WHY, REPORT, COMPLETION];
