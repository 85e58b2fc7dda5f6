import { Command, CommanderError, Option } from 'commander';
import { REGISTRY_NAMES, type RegistryName } from './registries/registries.ts';
import { duration } from './registries/shared/options.ts';

export interface Options {
  registry: RegistryName;
  /** How long each token of the example is in use, in milliseconds. */
  tokenLifetime: number;
  operator: boolean;
  example: boolean;
  /** Nothing is installed, neither CRDs nor an account, so that the chart can be. */
  empty: boolean;
  /** Shell command to run once everything is ready. */
  exec?: string;
}

const MINUTE = 60_000;

/** Reads the command line. @returns the options, or what to print before leaving with this exit code */
export function readOptions(argv: readonly string[]): { options: Options } | { exit: 0 | 2; output: string } {
  let output = '';
  const write = (text: string): void => void (output += text);
  const command = new Command('sandbox')
    .usage('[options]      (npm run sandbox -- [options])')
    .description(
      'A Kubernetes API server, a registry and the operator on this machine, to try and test with.',
    )
    .addOption(
      new Option('--registry <name>', 'registry to work with')
        .choices(REGISTRY_NAMES)
        .default(REGISTRY_NAMES[0]),
    )
    .addOption(
      new Option('--token-lifetime <duration>', 'lifetime that the example asks for, 1m or more')
        .argParser(duration(MINUTE))
        .default(2 * MINUTE, '2m'),
    )
    .option('--no-operator', 'start no operator')
    .option('--no-example', 'apply no example RegistryToken')
    .option('--empty', 'install nothing, and write values to install the chart with', false)
    .option('--exec <command>', 'once ready, run this shell command, stop everything, exit with its status')
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: write });
  try {
    const options = command.parse(argv, { from: 'user' }).opts<Options>();
    return { options: options.empty ? { ...options, operator: false, example: false } : options };
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { exit: error.exitCode === 0 ? 0 : 2, output };
  }
}
