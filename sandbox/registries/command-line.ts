import { Command, CommanderError } from 'commander';
import type { Clock } from '../../src/common/clock.ts';
import { REGISTRIES } from './registries.ts';
import type { FakeRegistry } from './shared/fake-registry.ts';
import { port, UsageError } from './shared/options.ts';

/** What every fake can be told. */
interface SharedOptions {
  port: number;
  host?: string;
  certificate?: string;
  faults?: boolean;
}

export interface Arguments {
  title: string;
  /** Makes the fake. @throws StateError where it has a state that can't be read */
  open: (clock: Clock) => FakeRegistry;
  /** 0: any free one. */
  port: number;
  /** File to write the certificate to. */
  certificate: string | undefined;
  faults: boolean;
}

/** Either the arguments, or what to print before leaving with this exit code. */
export type CommandLine = { arguments: Arguments } | { exit: 0 | 2; output: string };

const NAME = 'registry';

/** Reads `NAME --port N …`. Refusals never repeat a value that can be secret. */
export function readCommandLine(argv: readonly string[]): CommandLine {
  let output = '';
  let read: Arguments | undefined;
  const write = (chunk: string): void => void (output += chunk);
  const program = new Command(NAME)
    .usage('<name> [options]      (npm run registry -- <name> [options])')
    .description(
      'A registry to try and test with: the API that issues its tokens, and the token authentication of CNCF Distribution. ' +
        'Listens on the loopback interface only. `registry <name> --help` lists the options of one.',
    )
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: write });
  for (const [name, { title, describe }] of Object.entries(REGISTRIES)) {
    const command = program
      .command(name)
      .usage(`[options]      (npm run registry -- ${name} [options])`)
      .allowExcessArguments(false)
      .requiredOption('--port <port>', 'port to listen on; 0 for any free one', port)
      .option('--host <host>', 'the registry as it stands in image names (default: the address listened on)')
      .option('--certificate <file>', "file to write the certificate to, for a registry's rootcertbundle")
      .option('--faults', 'let clients add faults with POST /_faults and clear them with DELETE /_faults');
    const make = describe(command);
    command.action(({ host, certificate, faults = false, ...options }: SharedOptions) => {
      const open = (clock: Clock): FakeRegistry => {
        const fake = make(clock);
        if (host !== undefined) fake.host = host;
        return fake;
      };
      read = { title, open, port: options.port, certificate, faults };
    });
  }
  try {
    program.parse(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof UsageError) return refuse(error.message);
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { exit: 0, output };
    if (error.code === 'commander.help') return { exit: 2, output };
    return refuse(output.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' '));
  }
  return read ? { arguments: read } : refuse('no registry is named');
}

function refuse(problem: string): CommandLine {
  return { exit: 2, output: `${NAME}: ${problem.trim()}; see --help\n` };
}
