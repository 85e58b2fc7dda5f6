import type { Command } from 'commander';
import type { RegistryAccountSpec } from '../../src/api/registry-account.ts';
import type { Clock } from '../../src/common/clock.ts';
import type { ProviderName } from '../../src/registry/backends.ts';
import type { FakeRegistry } from './shared/fake-registry.ts';

/** A fake, and what an account of the operator says of it. */
export interface PreparedRegistry {
  fake: FakeRegistry;
  /** Data of the account's credentials Secret. */
  credentials: Readonly<Record<string, string>>;
  /**
   * The account's block, with its regions where the registry has regions.
   * @param url of the fake
   * @param host of the registry as it stands in image names
   */
  account: (url: string, host: string) => Pick<RegistryAccountSpec, ProviderName | 'regions'>;
  /** Two names that a RegistryToken's scope can have, each with a repository that it opens; none where tokens take no scope. */
  scopes: readonly { name: string; repository: string }[];
}

/** A kind of registry that there is a fake of. */
export interface RegistryKind {
  /** In messages. */
  title: string;
  /**
   * Adds to a command the options that only this kind has. Parsers of options that hold a secret throw UsageError, which does not
   * repeat the value.
   * @returns makes the fake that the command line asks for, once it has been parsed
   */
  describe: (command: Command) => (clock: Clock) => FakeRegistry;
  /** A fake that an account of the operator can use, for the sandbox and for tests. */
  prepare: (clock: Clock) => PreparedRegistry;
}
