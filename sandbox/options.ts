import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { parseDuration } from '../src/api/syntax/duration.ts';

export interface Options {
  /** Life of expiring tokens in milliseconds; undefined: the service's own 24 hours. */
  tokenLifetime?: number;
  operator: boolean;
  example: boolean;
  /** Shell command to run once everything is ready. */
  exec?: string;
}

/** Reads the command line. @returns the options, or what to print before leaving with this exit code */
export function readOptions(argv: readonly string[]): { options: Options } | { exit: 0 | 2; output: string } {
  let output = '';
  const write = (text: string): void => void (output += text);
  const command = new Command('sandbox')
    .usage('[options]      (npm run sandbox -- [options])')
    .description(
      'A Kubernetes API server, a token service and the operator on this machine, to try and test with.',
    )
    .option('--token-lifetime <duration>', 'life of tokens that expire, such as 60s (default: 24h)', lifetime)
    .option('--no-operator', 'start no operator')
    .option('--no-example', 'apply no example RegistryToken')
    .option('--exec <command>', 'once ready, run this shell command, stop everything, exit with its status')
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: write });
  try {
    return { options: command.parse(argv, { from: 'user' }).opts<Options>() };
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { exit: error.exitCode === 0 ? 0 : 2, output };
  }
}

function lifetime(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined || milliseconds < 1000)
    throw new InvalidArgumentError('It takes a duration such as 60s, 5m or 24h.');
  return milliseconds;
}
