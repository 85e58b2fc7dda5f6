import { Argument, Command as Parser, CommanderError } from 'commander';
import { ownOptions, type Command } from './command.ts';
import { COMMANDS } from './commands.ts';
import { complete } from './completion/complete.ts';
import type { Cluster, Context, Environment } from './context.ts';
import { explain } from './failure.ts';
import { KUBE_OPTIONS, type KubeFlags } from './kube-flags.ts';
import type { Format } from './output/listing.ts';
import { plain } from './output/table.ts';

/** How people call it: kubectl finds `kubectl-registrytoken` in PATH. */
const NAME = 'kubectl registrytoken';
const HELP_WIDTH = 100;
/** What shells and kubectl call to complete a command line; as cobra names it. */
const COMPLETE = '__complete';

/** What a run of the program ends with: done, or failed in whatever way, as kubectl has it; or ended by Ctrl-C, as shells have it. */
export const EXIT = { done: 0, failed: 1, interrupted: 130 } as const;

/**
 * Runs the program.
 * @param argv without those of Node
 * @returns its exit code
 */
export async function run(
  argv: readonly string[],
  environment: Environment,
  commands: readonly Command[] = COMMANDS,
): Promise<number> {
  const { terminal, signal } = environment;
  const clusters: Cluster[] = [];
  const connected = {
    ...environment,
    connect(flags: KubeFlags): Cluster {
      const cluster = environment.connect(flags);
      clusters.push(cluster);
      return cluster;
    },
  };
  try {
    if (argv[0] === COMPLETE) await complete(argv.slice(1), commands, connected);
    else
      await parserOf(commands, connected).parseAsync(argv.length > 0 ? argv : ['--help'], { from: 'user' });
    return EXIT.done;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.failed;
    if (signal.aborted) return EXIT.interrupted;
    const { message, advice } = explain(error);
    const text = `error: ${message}${advice === undefined ? '' : `\nto do: ${advice}`}`;
    // Registries and webhooks word some of it.
    terminal.tell(`${text.split('\n').map(plain).join('\n')}\n`);
    return EXIT.failed;
  } finally {
    await Promise.all(clusters.map((cluster) => cluster.close()));
  }
}

function parserOf(commands: readonly Command[], environment: Environment): Parser {
  const { terminal, version } = environment;
  const parser = new Parser(NAME)
    .description(
      'Shows and works with RegistryTokens and the pull secrets that registry-token-operator keeps alive.',
    )
    .version(version, '--version', 'the version of this program')
    .helpCommand(false)
    .exitOverride()
    .showHelpAfterError(`See ${NAME} --help.`)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: terminal.write,
      writeErr: terminal.tell,
      getOutHelpWidth: () => HELP_WIDTH,
      getErrHelpWidth: () => HELP_WIDTH,
    });
  for (const option of KUBE_OPTIONS) parser.addOption(option);
  for (const command of commands) addCommand(parser, command, environment);
  return parser;
}

function addCommand(parser: Parser, command: Command, environment: Environment): void {
  const { arguments: takes = [] } = command;
  const sub = parser
    .command(command.name)
    .summary(command.summary)
    .description([command.summary, command.about].filter(Boolean).join('\n\n'))
    .showHelpAfterError(`See ${NAME} ${command.name} --help.`);
  for (const { name, about, completes } of takes) {
    const argument = new Argument(name, about);
    sub.addArgument(typeof completes === 'object' ? argument.choices(completes) : argument);
  }
  for (const option of ownOptions(command)) sub.addOption(option);
  if (command.examples.length > 0) sub.addHelpText('after', `\n${examplesText(command)}`);
  sub.action(async (...received: unknown[]) => {
    const given = sub.optsWithGlobals<KubeFlags & Record<string, string | boolean | undefined>>();
    const args = received.slice(0, takes.length).flatMap((arg) => (arg ?? []) as string | string[]);
    const context = contextOf(environment, given);
    await command.run(context, { args, options: sub.opts() });
  });
}

/** As kubectl has it in its help. */
function examplesText({ examples }: Command): string {
  const texts = examples.map(({ to, run: line }) => `  # ${to}\n  ${line}\n`);
  return `Examples:\n${texts.join('\n')}`;
}

function contextOf(
  { connect, ...environment }: Environment,
  flags: KubeFlags & Record<string, string | boolean | undefined>,
): Context {
  let cluster: Cluster | undefined;
  const connected = (): Cluster => (cluster ??= connect(flags));
  return {
    ...environment,
    get client() {
      return connected().client;
    },
    get namespace() {
      return connected().namespace;
    },
    allNamespaces: flags['allNamespaces'] === true,
    format: (flags['output'] ?? 'table') as Format,
  };
}
