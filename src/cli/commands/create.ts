import { Option } from 'commander';
import type { Command } from '../command.ts';
import { newToken } from '../new-token.ts';
import { collect, createToken, CREATION_FORMATS, CREATION_OPTIONS } from '../token-creation.ts';

export const CREATE: Command = {
  name: 'create',
  arguments: [{ name: '<NAME>', about: 'of the new RegistryToken, and of its Secret unless told otherwise' }],
  summary: 'Create a RegistryToken',
  about:
    'Read-only, with the lifetime that the registry gives, and from the account named default, unless told otherwise. Needs create of registrytokens.',
  examples: [
    {
      to: 'Create one for the pods of the default ServiceAccount, and wait for its Secret',
      run: 'kubectl registrytoken create app-pull -n team-a --scope team-a --service-account default --wait',
    },
    {
      to: 'Create one that may push, for two weeks at a time',
      run: 'kubectl registrytoken create build -n team-a --read-write --lifetime 336h',
    },
    {
      to: 'Print the object for a Git repository',
      run: 'kubectl registrytoken create app-pull -n team-a --scope team-a --dry-run -o yaml',
    },
  ],
  options: [
    new Option('--account <name>', 'RegistryAccount'),
    new Option('--region <name>', 'region of the registry'),
    new Option('--scope <names>', 'part of the registry; several by commas or by repeating it').argParser(
      collect,
    ),
    new Option('--read-write', 'pull and push; otherwise pull only'),
    new Option('--lifetime <duration>', 'how long each token is in use, such as 24h'),
    new Option('--never-expiring', 'tokens that do not expire'),
    new Option('--description <text>', 'shown at the registry'),
    new Option('--secret <name>', 'name of the Secret'),
    new Option('--service-account <names>', 'ServiceAccounts that get the Secret').argParser(collect),
    ...CREATION_OPTIONS,
  ],
  completes: { account: 'RegistryAccounts' },
  formats: CREATION_FORMATS,
  run: (context, { args: [name = ''], options }) =>
    createToken(context, newToken(name, context.namespace, options), options),
};
