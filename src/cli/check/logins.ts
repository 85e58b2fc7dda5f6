import type { ScopeCapability } from '../../api/capabilities.ts';
import type { Access, RegistryToken } from '../../api/registry-token.ts';
import type { Verdict } from '../../common/verdict.ts';
import type { Place } from '../../registry/port.ts';
import type { Attempt } from '../../registry/login-probe/login-probe.ts';
import type { Secret } from '../../token/secret/secret.ts';
import { CommandFailure } from '../failure.ts';
import { plain, type Column } from '../output/table.ts';
import { readDockerConfig } from '../pull-secrets/docker-config.ts';
import { tellerOf } from '../pull-secrets/told-texts.ts';

/** A login that is to be tried at a host of the Secret. */
export interface Login {
  /** As the Secret has it, and the user likewise, unless that is the password too. */
  host: string;
  user: string;
  place: Place;
  attempt: Attempt;
}

/** What is to be tried, beyond what the RegistryToken itself says. */
export interface Wish {
  /** Names of repositories, in place of the scope. */
  repositories: readonly string[];
  /** Whether to try pushing, in place of the token's access. */
  push: boolean | undefined;
}

/**
 * The logins that kubelet could make with a Secret, each with what the token is for. A host with `*` stands for many, and is left out.
 * @throws CommandFailure where kubelet could make none
 */
export function loginsOf(token: RegistryToken, secret: Secret, wish: Wish): Login[] {
  const config = readDockerConfig(secret);
  const name = `Secret ${secret.metadata.name}`;
  if ('flaw' in config) throw new CommandFailure(`kubelet can't read ${name}: it ${config.flaw}`);
  const record = token.status?.token;
  const access: Access =
    wish.push === undefined ? (record?.access ?? 'ReadOnly') : wish.push ? 'ReadWrite' : 'ReadOnly';
  const scope = wish.repositories.length > 0 ? wish.repositories : (record?.scope ?? []);
  const told = tellerOf(config.entries);
  const logins = config.entries.flatMap(({ key, host, username, password }): Login[] => {
    if (host === undefined || host.includes('*')) return [];
    // Plain HTTP is asked only where the API that issues tokens is asked so, on the same machine.
    const endpoint = record?.place.endpoint ?? `https://${host}`;
    const place = { region: record?.region ?? '', host, endpoint };
    return [{ host: told(key), user: told(username), place, attempt: { username, password, access, scope } }];
  });
  if (logins.length === 0) throw new CommandFailure(`${name} has no host that can be asked`);
  return logins;
}

/** What names stand for in what is tried: repositories that were named, else what the account's registry has. */
export function namesCover(
  wish: Wish,
  scope: ScopeCapability | undefined,
): ScopeCapability['covers'] | undefined {
  return wish.repositories.length > 0 ? 'repository' : scope?.covers;
}

/** What became of a login. */
export interface CheckedLogin {
  host: string;
  user: string;
  /** `pull` or `pull and push`, and where. */
  tried: string;
  answer: Verdict['answer'];
  message: string;
}

export function checked({ host, user, attempt }: Login, verdict: Verdict): CheckedLogin {
  const { access, scope } = attempt;
  const what = access === 'ReadWrite' ? 'pull and push' : 'pull';
  return {
    host,
    user,
    tried: scope.length === 0 ? 'login' : `${what} in ${scope.join(', ')}`,
    answer: verdict.answer,
    message: 'message' in verdict ? plain(verdict.message) : '',
  };
}

export const CHECK_COLUMNS: readonly Column<CheckedLogin>[] = [
  { header: 'HOST', cell: ({ host }) => host },
  { header: 'USER', cell: ({ user }) => user },
  { header: 'TRIED', cell: ({ tried }) => tried },
  { header: 'RESULT', cell: ({ answer }) => answer },
  { header: 'WHY', cell: ({ message }) => message },
];
