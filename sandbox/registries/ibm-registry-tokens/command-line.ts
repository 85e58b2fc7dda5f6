import { createHash } from 'node:crypto';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { parseDuration } from '../../../src/api/syntax/duration.ts';
import type { ApiKey } from './identity.ts';

export interface Arguments {
  port: number;
  apiKeys: ApiKey[];
  tokenLifetime?: number;
  /** As it stands in image names. */
  host?: string;
  state?: string;
  certificate?: string;
  faults?: boolean;
}

/** Either the arguments, or what to print before leaving with this exit code. */
export type CommandLine = { arguments: Arguments } | { exit: 0 | 2; output: string };

const NAME = 'token-service';

export function readCommandLine(argv: readonly string[]): CommandLine {
  let output = '';
  const write = (chunk: string): void => {
    output += chunk;
  };
  const command = new Command(NAME)
    .description(
      'A registry token service to try and test with: the token API of 2017, the exchange of API keys, and the token ' +
        'authentication of CNCF Distribution. Listens on the loopback interface only.',
    )
    .requiredOption('--port <port>', 'port to listen on; 0 for any free one', port)
    .requiredOption(
      '--api-key <key[:account]>',
      'API key that is accepted, and the account it is for (32 hexadecimal digits; default: made from the key); can be repeated',
      (text: string, before: string[] | undefined) => [...(before ?? []), text],
    )
    .option(
      '--token-lifetime <duration>',
      'lifetime of tokens, such as 90s or 1h30m (default: 24h)',
      lifetime,
    )
    .option('--host <host>', 'the registry as it stands in image names (default: the address listened on)')
    .option('--state <file>', 'file that keeps tokens over a restart')
    .option('--certificate <file>', "file to write the certificate to, for a registry's rootcertbundle")
    .option('--faults', 'let clients add faults with POST /_faults and clear them with DELETE /_faults')
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: write });
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { exit: 0, output };
    return refuse(output.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' '));
  }
  const { apiKey, ...rest } = command.opts<Omit<Arguments, 'apiKeys'> & { apiKey: string[] }>();
  const apiKeys = apiKey.map(parseApiKey).filter((parsed) => parsed !== undefined);
  // Not left to commander, which would print the key.
  if (apiKeys.length < apiKey.length) return refuse('an --api-key is neither KEY nor KEY:ACCOUNT');
  return { arguments: { ...rest, apiKeys } };
}

function refuse(problem: string): CommandLine {
  return { exit: 2, output: `${NAME}: ${problem.trim()}; see --help\n` };
}

function port(text: string): number {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : Infinity;
  if (value > 65_535) throw new InvalidArgumentError('It has to be a number from 0 to 65535');
  return value;
}

function parseApiKey(text: string): ApiKey | undefined {
  const [, key, accountId] = /^([^:]+)(?::([0-9a-f]{32}))?$/.exec(text) ?? [];
  if (key === undefined) return undefined;
  return { key, accountId: accountId ?? createHash('sha256').update(key).digest('hex').slice(0, 32) };
}

function lifetime(text: string): number {
  const value = parseDuration(text);
  if (!value) throw new InvalidArgumentError('It has to be a duration such as 60s, 24h or 1h30m');
  return value;
}
