import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { SCENARIOS } from './scenarios.ts';

export interface Options {
  scenarios: string[];
  /** RegistryTokens; each scenario has a number of its own unless told. */
  count?: number;
  rounds: number;
  /** Foreign Secrets beside them, where the scenario has any. */
  foreign: number;
  workers: number;
  /** On the embedded API server, whatever else there is. */
  embedded?: boolean;
  /** Folder for a processor profile of each of the operator's processes. */
  profile?: string;
  nodeFlag: string[];
}

/** Reads the command line. @returns the options, or what to print before leaving with this exit code */
export function readOptions(argv: readonly string[]): { options: Options } | { exit: 0 | 2; output: string } {
  let output = '';
  const write = (text: string): void => void (output += text);
  const list = SCENARIOS.map(({ name, count, title }) => `  ${name.padEnd(10)}${title} (${count})`);
  const command = new Command('bench')
    .usage('[options] [scenario...]      (npm run bench -- [options] [scenario...])')
    .description(
      'Measures the operator, where it can against a bare script that makes the calls its promises need. On the control plane ' +
        'in KUBEBUILDER_ASSETS, else on the one beside this project, else on the embedded API server.',
    )
    .argument('[scenario...]', 'what to measure; all when none is named')
    .option('--count <number>', 'RegistryTokens (default: as listed below)', wholeNumber)
    .option('--rounds <number>', 'how often each is measured', wholeNumber, 3)
    .option('--foreign <number>', 'foreign Secrets, of memory and sweep', wholeNumber, 30_000)
    .option('--workers <number>', 'of the operator and the floor', wholeNumber, 8)
    .option('--embedded', 'on the embedded API server, whatever else there is')
    .option('--profile <folder>', "write a processor profile of each of the operator's processes there")
    .option(
      '--node-flag <flag>',
      'flag of Node.js for the operator, besides those of the image; can be repeated',
      (flag: string, before: string[]) => [...before, flag],
      [],
    )
    .addHelpText(
      'after',
      `\nScenarios, and how many RegistryTokens each has unless told:\n${list.join('\n')}`,
    )
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: write });
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { exit: error.exitCode === 0 ? 0 : 2, output };
  }
  const unknown = command.args.find((name) => !SCENARIOS.some((scenario) => scenario.name === name));
  if (unknown !== undefined)
    return { exit: 2, output: `bench: there is no scenario ${unknown}; see --help\n` };
  return { options: { ...command.opts<Omit<Options, 'scenarios'>>(), scenarios: command.args } };
}

function wholeNumber(text: string): number {
  const value = /^[1-9]\d{0,6}$/.test(text) ? Number(text) : NaN;
  if (Number.isNaN(value)) throw new InvalidArgumentError('It takes a whole number from 1 to 9999999.');
  return value;
}
