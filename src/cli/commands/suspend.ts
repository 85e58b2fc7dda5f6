import type { RegistryToken } from '../../api/registry-token.ts';
import { REGISTRY_TOKENS } from '../../api/resources.ts';
import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { when } from '../output/human-time.ts';
import { selectedTokens, tokenTitle } from '../selected-tokens.ts';

const NAME = { name: '<NAME>', about: 'of a RegistryToken', completes: 'RegistryTokens' } as const;

/** What becomes of a token that nobody replaces. @param now milliseconds since 1970 */
export function suspensionRemark({ status }: RegistryToken, now: number): string {
  const { token } = status ?? {};
  if (!token) return 'It has no token, and gets none meanwhile.';
  return token.expiresAt === undefined
    ? 'Its token does not expire, and is neither rotated nor repaired meanwhile.'
    : `Its token is not replaced meanwhile, and expires ${when(token.expiresAt, now)}.`;
}

async function setSuspend(context: Context, name: string | undefined, suspend: boolean): Promise<void> {
  const { client, signal, terminal, clock } = context;
  const [token] = await selectedTokens(context, name);
  if (!token) return;
  const done = suspend ? 'suspended' : 'resumed';
  if ((token.spec.suspend === true) === suspend)
    return terminal.write(`${tokenTitle(token)} ${suspend ? 'is suspended already' : 'is not suspended'}\n`);
  await client.mergePatch(REGISTRY_TOKENS, token.metadata, { spec: { suspend } }, { signal });
  terminal.write(`${tokenTitle(token)} ${done}\n`);
  if (suspend) terminal.tell(`${suspensionRemark(token, clock.now())}\n`);
}

export const SUSPEND: Command = {
  name: 'suspend',
  arguments: [NAME],
  summary: 'Have a RegistryToken left as it is',
  about:
    'Sets spec.suspend: nothing is rotated, repaired or revoked until it is resumed. Deleting it still revokes. Needs patch of registrytokens.',
  examples: [{ to: 'Suspend one', run: 'kubectl registrytoken suspend app-pull -n team-a' }],
  run: (context, { args: [name] }) => setSuspend(context, name, true),
};

export const RESUME: Command = {
  name: 'resume',
  arguments: [NAME],
  summary: 'Go on with a RegistryToken that was suspended',
  about: 'Sets spec.suspend to false: what was due meanwhile is done at once. Needs patch of registrytokens.',
  examples: [{ to: 'Resume one', run: 'kubectl registrytoken resume app-pull -n team-a' }],
  run: (context, { args: [name] }) => setSuspend(context, name, false),
};
