import { repeated, UsageError } from '../shared/options.ts';
import type { RegistryKind } from '../registry-kind.ts';
import type { User } from './callers.ts';
import { Harbor } from './harbor.ts';

interface Options {
  user: Omit<User, 'id'>[];
  project: string[];
}

const USERNAME = 'admin';
const PASSWORD = 'sandbox-password';

/** Harbor and its robot accounts. */
export const HARBOR: RegistryKind = {
  title: 'Harbor',

  describe(command) {
    command
      .description('Harbor: projects, users and robot accounts (API v2.0)')
      .requiredOption(
        '--user <name:password[:project,…]>',
        'user that is accepted: an administrator, or one of these projects alone; can be repeated',
        repeated(parseUser),
      )
      .requiredOption(
        '--project <name>',
        'project that there is; can be repeated',
        repeated((text) => text),
      );
    return (clock) => {
      const { user: users, project: projects } = command.opts<Options>();
      return new Harbor({ clock, users, projects });
    };
  },

  prepare: (clock) => ({
    fake: new Harbor({
      clock,
      projects: ['team', 'other'],
      users: [{ username: USERNAME, password: PASSWORD, administrator: true, projects: [] }],
    }),
    credentials: { username: USERNAME, password: PASSWORD },
    account: (url, host) => ({ harbor: { url, host } }),
    scopes: ['team', 'other'].map((name) => ({ name, repository: `${name}/app` })),
  }),
};

function parseUser(text: string): Omit<User, 'id'> {
  const [, username, password, projects] = /^([^:]+):([^:]+)(?::([^:]+))?$/.exec(text) ?? [];
  if (username === undefined || password === undefined)
    throw new UsageError('a --user is neither NAME:PASSWORD nor NAME:PASSWORD:PROJECT,…');
  return {
    username,
    password,
    administrator: projects === undefined,
    projects: projects?.split(',') ?? [],
  };
}
