import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { Option } from 'commander';
import type { KubeObject } from '../../common/objects.ts';
import { SECRETS } from '../../kube/client/resources.ts';
import { wantedSecret } from '../../token/secret/claimants.ts';
import type { Secret } from '../../token/secret/secret.ts';
import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CommandFailure } from '../failure.ts';
import { dockerLogins, withLogins } from '../login/docker-login.ts';
import { plain } from '../output/table.ts';
import { selectedTokens } from '../selected-tokens.ts';

export const LOGIN: Command = {
  name: 'login',
  arguments: [{ name: '<NAME>', about: 'of a RegistryToken', completes: 'RegistryTokens' }],
  summary: 'Give docker, podman and others the credential of a Secret',
  about:
    'The credential is a secret: it is shown with --print only, and written with --write only. A file that is written keeps all other entries, and can be read by you alone. Nobody renews it there: when the token is rotated, its previous one ends with the grace period. Needs get of registrytokens and secrets.',
  examples: [
    { to: 'Log docker in', run: 'kubectl registrytoken login app-pull -n team-a --write' },
    {
      to: 'Write the file that podman and skopeo are told of',
      run: 'kubectl registrytoken login app-pull -n team-a --write --file auth.json',
    },
    { to: 'Print the docker configuration', run: 'kubectl registrytoken login app-pull -n team-a --print' },
  ],
  options: [
    new Option('--write', 'write it to a docker configuration'),
    new Option('--file <path>', 'which; default: config.json in DOCKER_CONFIG or ~/.docker'),
    new Option('--print', 'print it, token included'),
  ],
  async run(context, { args: [name], options }) {
    const { client, namespace, signal, terminal, variables } = context;
    const { write, print, file } = options;
    if ((write === true) === (print === true))
      throw new CommandFailure(
        'where the credential is to go is not said',
        'give one of --write and --print',
      );
    const [token] = await selectedTokens(context, name);
    if (!token) return;
    const secret = await client.get<Secret & KubeObject>(
      SECRETS,
      { namespace, name: wantedSecret(token) },
      { signal },
    );
    const logins = dockerLogins(token, secret);
    if (print === true) return terminal.write(`${JSON.stringify({ auths: logins }, undefined, 4)}\n`);
    const folder = variables['DOCKER_CONFIG'] || join(homedir(), '.docker');
    const path = typeof file === 'string' ? file : join(folder, 'config.json');
    await writeLogins(context, path, logins);
    terminal.write(`${path}: logged in to ${plain(Object.keys(logins).join(', '))}\n`);
  },
};

/**
 * In one step, so that nobody reads half a file. The file beside it is new and of a name that nobody knows before: one that is there
 * already would keep its owner and mode, or lead elsewhere.
 */
async function writeLogins(
  { terminal }: Context,
  path: string,
  logins: ReturnType<typeof dockerLogins>,
): Promise<void> {
  const { text, remark } = withLogins(await readIfThere(path), logins, path);
  const next = `${path}.${randomBytes(8).toString('hex')}`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(next, text, { mode: 0o600, flag: 'wx' });
    await rename(next, path);
  } catch (error) {
    await rm(next, { force: true });
    throw new CommandFailure(`${path} can't be written: ${(error as NodeJS.ErrnoException).code}`);
  }
  if (remark !== undefined) terminal.tell(`${remark}\n`);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new CommandFailure(`${path} can't be read: ${code}`);
  }
}
