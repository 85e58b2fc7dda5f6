import { Option } from 'commander';
import type { Context } from './context.ts';
import type { Format } from './output/listing.ts';

/** Names that an argument or a flag can be completed with. */
export type Completion = 'RegistryTokens' | 'RegistryAccounts' | 'Secrets' | 'Namespaces' | readonly string[];

export interface Argument {
  /** `<NAME>` is required, `[NAME]` is not; `[NAME...]` takes several. */
  name: string;
  about: string;
  completes?: Completion;
}

/** What somebody wants, and the command line that does it. */
export interface Example {
  to: string;
  run: string;
}

/** What a command was given. */
export interface Given {
  args: readonly string[];
  /** Of the command's own options, by commander's names: `revokeNow` for `--revoke-now`. */
  options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
}

/** A command of the plugin. */
export interface Command {
  name: string;
  arguments?: readonly Argument[];
  /** One line for the list of commands. */
  summary: string;
  /** More for its own help. */
  about?: string;
  examples: readonly Example[];
  options?: readonly Option[];
  /** What values of its options are completed with, by the names that `Given` has. */
  completes?: Readonly<Record<string, Completion>>;
  /** What `-o` takes; absent: there is no `-o`. */
  formats?: readonly Format[];
  /** Whether `-A` means anything. */
  allNamespaces?: boolean;
  /** @throws CommandFailure, KubeError, the reason of the context's signal */
  run: (context: Context, given: Given) => Promise<void>;
}

/** The options of a command, `-o` and `-A` included where it has them. */
export function ownOptions({ options = [], formats, allNamespaces }: Command): readonly Option[] {
  const output =
    formats && new Option('-o, --output <format>', 'format').choices(formats).default(formats[0]);
  const all = allNamespaces ? [new Option('-A, --all-namespaces', 'all namespaces')] : [];
  return [...options, ...(output ? [output] : []), ...all];
}
