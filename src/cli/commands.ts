import type { Command } from './command.ts';
import { COMPLETION } from './commands/completion.ts';
import { GET } from './commands/get.ts';

/** Every command, in the order of the help. */
export const COMMANDS: readonly Command[] = [GET, COMPLETION];
