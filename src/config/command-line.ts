import { Command, CommanderError, Option } from 'commander';

/** A flag as --help shows it. */
export interface Flag {
  /** `<required>` or, for a boolean, `[optional]`; a boolean can be negated by `--no-…` too. */
  argument: string;
  description: string;
  /** As a user would write it. */
  default?: string;
}

/** Either what was given, as text by key, or what to print before leaving with this exit code. */
export type CommandLine =
  { given: Readonly<Record<string, string | undefined>> } | { exit: 0 | 2; output: string };

const NAME = 'registry-token-operator';
const HELP_WIDTH = 110;

/**
 * Reads the command line.
 * @param flags by key; `logLevel` is the flag `--log-level` and the environment variable `LOG_LEVEL`
 */
export function readCommandLine(
  argv: readonly string[],
  flags: Readonly<Record<string, Flag>>,
  version: string,
): CommandLine {
  let output = '';
  const write = (chunk: string): void => {
    output += chunk;
  };
  const command = new Command(NAME)
    .description('Keeps image pull secrets alive: creates, rotates and revokes registry tokens.')
    .version(version)
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: write, getOutHelpWidth: () => HELP_WIDTH })
    .addHelpText('after', '\nEach flag can be given by the environment variable in brackets instead.');
  for (const [key, flag] of Object.entries(flags)) {
    const shown = flag.default ? ` (default ${flag.default})` : '';
    const description = `${flag.description}${shown} [${variableName(key)}]`;
    command.addOption(new Option(`--${flagName(key)} ${flag.argument}`, description));
    if (flag.argument.startsWith('[')) command.addOption(new Option(`--no-${flagName(key)}`).hideHelp());
  }
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { exit: 0, output };
    const problem = output.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' ');
    return refuse(`${problem.trim()} See --help.`);
  }
  const given = Object.entries(command.opts<Record<string, string | boolean>>())
    .filter(([key]) => command.getOptionValueSource(key) === 'cli')
    .map(([key, value]) => [key, String(value)] as const);
  return { given: Object.fromEntries(given) };
}

/** The one line that refuses to start, and the exit code of wrong usage. */
export function refuse(problem: string): { exit: 2; output: string } {
  return { exit: 2, output: `${NAME}: ${problem}\n` };
}

export function flagName(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

export function variableName(key: string): string {
  return flagName(key).replaceAll('-', '_').toUpperCase();
}
