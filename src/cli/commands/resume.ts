import type { Command } from '../command.ts';
import { setSuspend } from '../suspension.ts';

export const RESUME: Command = {
  name: 'resume',
  arguments: [{ name: '<NAME>', about: 'of a RegistryToken', completes: 'RegistryTokens' }],
  summary: 'Go on with a RegistryToken that was suspended',
  about: 'Sets spec.suspend to false: what was due meanwhile is done at once. Needs patch of registrytokens.',
  examples: [{ to: 'Resume one', run: 'kubectl registrytoken resume app-pull -n team-a' }],
  run: (context, { args: [name] }) => setSuspend(context, name, false),
};
