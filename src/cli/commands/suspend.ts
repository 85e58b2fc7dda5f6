import type { Command } from '../command.ts';
import { setSuspend } from '../suspension.ts';

export const SUSPEND: Command = {
  name: 'suspend',
  arguments: [{ name: '<NAME>', about: 'of a RegistryToken', completes: 'RegistryTokens' }],
  summary: 'Have a RegistryToken left as it is',
  about:
    'Sets spec.suspend: nothing is rotated, repaired or revoked until it is resumed. Deleting it still revokes. Needs patch of registrytokens.',
  examples: [{ to: 'Suspend one', run: 'kubectl registrytoken suspend app-pull -n team-a' }],
  run: (context, { args: [name] }) => setSuspend(context, name, true),
};
