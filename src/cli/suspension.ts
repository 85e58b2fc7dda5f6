import type { RegistryToken } from '../api/registry-token.ts';
import { REGISTRY_TOKENS } from '../api/resources.ts';
import type { Context } from './context.ts';
import { when } from './output/human-time.ts';
import { CommandFailure } from './failure.ts';
import { selectedTokens, templateOwner, tokenTitle } from './selected-tokens.ts';

/** What becomes of a token that nobody replaces. @param now milliseconds since 1970 */
export function suspensionRemark({ status }: RegistryToken, now: number): string {
  const { token } = status ?? {};
  if (!token) return 'It has no token, and gets none meanwhile.';
  return token.expiresAt === undefined
    ? 'Its token does not expire, and is neither rotated nor repaired meanwhile.'
    : `Its token is not replaced meanwhile, and expires ${when(token.expiresAt, now)}.`;
}

/** Sets `spec.suspend`, and says so. @throws CommandFailure where that would not last; KubeError */
export async function setSuspend(
  context: Context,
  name: string | undefined,
  suspend: boolean,
): Promise<void> {
  const { client, signal, terminal, clock } = context;
  const [token] = await selectedTokens(context, name);
  if (!token) return;
  const done = suspend ? 'suspended' : 'resumed';
  if ((token.spec.suspend === true) === suspend)
    return terminal.write(`${tokenTitle(token)} ${suspend ? 'is suspended already' : 'is not suspended'}\n`);
  const parent = templateOwner(token);
  if (parent !== undefined)
    throw new CommandFailure(
      `ClusterRegistryToken ${parent} would change spec.suspend back at once`,
      `set spec.template.spec.suspend of that, for all of its RegistryTokens`,
    );
  await client.mergePatch(REGISTRY_TOKENS, token.metadata, { spec: { suspend } }, { signal });
  terminal.write(`${tokenTitle(token)} ${done}\n`);
  if (suspend) terminal.tell(`${suspensionRemark(token, clock.now())}\n`);
}
