import type { Option } from 'commander';
import { ownOptions, type Command, type Completion } from '../command.ts';
import { KUBE_OPTIONS, type KubeFlags } from '../kube-flags.ts';

/** Names that the cluster is asked for. */
export type Lookup = Extract<Completion, string>;

/** What can stand where a command line ends. */
export interface Candidates {
  /** Names, or of what to look up names in the cluster; undefined: nothing is known. */
  names: Lookup | readonly string[] | undefined;
  /** What is written already. */
  prefix: string;
  /** The flags that say where the cluster is. */
  flags: KubeFlags;
}

/**
 * What could complete a command line.
 * @param words behind the program's name; the last is what is being written, and can be empty
 */
export function candidatesFor(words: readonly string[], commands: readonly Command[]): Candidates {
  const written = words.at(-1) ?? '';
  const read = readWords(words.slice(0, -1), commands);
  const { command, flag, positional, flags } = read;
  const base = { prefix: written, flags };
  if (flag) return { ...base, names: valuesOf(flag, command) };
  if (written.startsWith('-')) return { ...base, names: flagsOf(command) };
  if (!command) return { ...base, names: commands.map(({ name }) => name) };
  const takes = command.arguments ?? [];
  const last = takes.at(-1);
  const argument = takes[positional] ?? (last?.name.includes('...') ? last : undefined);
  return { ...base, names: argument?.completes };
}

interface Read {
  command: Command | undefined;
  /** The flag that waits for its value. */
  flag: Option | undefined;
  /** How many arguments stand there. */
  positional: number;
  flags: KubeFlags;
}

function readWords(words: readonly string[], commands: readonly Command[]): Read {
  const read: Read = { command: undefined, flag: undefined, positional: 0, flags: {} };
  for (const word of words) {
    if (read.flag) {
      note(read, read.flag, word);
      read.flag = undefined;
    } else if (word.startsWith('-')) {
      const [name = '', value] = word.split(/=(.*)/s);
      const option = optionsOf(read.command).find((each) => each.short === name || each.long === name);
      if (option && value !== undefined) note(read, option, value);
      else if (option?.required) read.flag = option;
    } else if (read.command) read.positional++;
    else read.command = commands.find(({ name }) => name === word);
  }
  return read;
}

function note(read: Read, option: Option, value: string): void {
  if (KUBE_OPTIONS.includes(option)) read.flags = { ...read.flags, [option.attributeName()]: value };
}

function optionsOf(command: Command | undefined): readonly Option[] {
  return [...(command ? ownOptions(command) : []), ...KUBE_OPTIONS];
}

function flagsOf(command: Command | undefined): readonly string[] {
  return [...optionsOf(command).flatMap(({ long }) => long ?? []), '--help'];
}

function valuesOf(option: Option, command: Command | undefined): Candidates['names'] {
  if (option.long === '--namespace') return 'Namespaces';
  return command?.completes?.[option.attributeName()] ?? option.argChoices;
}
