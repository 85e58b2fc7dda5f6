import { readFileSync } from 'node:fs';
import { delimiter, dirname, resolve, sep } from 'node:path';
import { KubeConfig, loadYaml, type Cluster, type User } from '@kubernetes/client-node';

/** What of a kubeconfig to use in place of what it says itself, as kubectl's flags of these names do. */
export interface KubeConfigChoice {
  context?: string | undefined;
  cluster?: string | undefined;
  user?: string | undefined;
  /** Name of a user to impersonate. */
  as?: string | undefined;
}

/**
 * The kubeconfig of these files, or else that of the home directory, or of the pod.
 * @param paths as in KUBECONFIG
 * @throws Error when a file can't be read, or has nothing of a name that was chosen
 */
export function loadKubeConfig(paths = '', choice: KubeConfigChoice = {}): KubeConfig {
  const config = new CompleteKubeConfig();
  const [first, ...others] = paths.split(delimiter).filter(Boolean);
  if (first === undefined) config.loadFromDefault();
  else config.loadFromFile(first);
  for (const path of others) {
    const other = new CompleteKubeConfig();
    other.loadFromFile(path);
    config.mergeConfig(withoutNamesOf(config, other), Boolean(config.currentContext));
  }
  choose(config, choice);
  const cluster = config.getCurrentCluster();
  config.users = config.users.map((user) => withExecInfo(user, cluster));
  return config;
}

/** Makes what was chosen the current context, one of its own where cluster or user are not those of a context. */
function choose(config: KubeConfig, { context, cluster, user, as }: KubeConfigChoice): void {
  const assertKnown = (kind: string, name: string | undefined, known: readonly { name: string }[]): void => {
    if (name !== undefined && !known.some((each) => each.name === name))
      throw new Error(`the kubeconfig has no ${kind} ${JSON.stringify(name)}`);
  };
  assertKnown('context', context, config.contexts);
  assertKnown('cluster', cluster, config.clusters);
  assertKnown('user', user, config.users);
  const base = config.getContextObject(context ?? config.getCurrentContext());
  if (cluster === undefined && user === undefined && as === undefined) {
    if (context !== undefined) config.setCurrentContext(context);
    return;
  }
  const name = '(chosen)';
  const chosen = { cluster: cluster ?? base?.cluster ?? '', user: user ?? base?.user ?? '' };
  const acting = config.users.find((each) => each.name === chosen.user);
  if (as !== undefined) {
    config.users = [...config.users, { ...acting, name, impersonateUser: as }];
    chosen.user = name;
  }
  const namespace = base?.namespace === undefined ? {} : { namespace: base.namespace };
  config.contexts = [...config.contexts, { ...chosen, ...namespace, name }];
  config.setCurrentContext(name);
}

/** Of what several files call the same, the first counts (client-go, tools/clientcmd, Load of several files). */
function withoutNamesOf(first: KubeConfig, later: KubeConfig): KubeConfig {
  const isNew = (known: readonly { name: string }[]) => (entry: { name: string }) =>
    !known.some(({ name }) => name === entry.name);
  later.clusters = later.clusters.filter(isNew(first.clusters));
  later.users = later.users.filter(isNew(first.users));
  later.contexts = later.contexts.filter(isNew(first.contexts));
  return later;
}

/**
 * What was thrown about a kubeconfig file may quote it, credentials included: told is the line of the mistake only.
 * @throws Error
 */
function readConfig(file: string, read: () => void): void {
  try {
    read();
  } catch (error) {
    const { code, mark } = error as { code?: unknown; mark?: { line?: unknown } };
    const place = typeof mark?.line === 'number' ? `, in line ${mark.line + 1}` : '';
    const told = typeof code === 'string' ? code : `it is no kubeconfig${place}`;
    // eslint-disable-next-line preserve-caught-error -- the cause is what must not be told
    throw new Error(`cannot read the kubeconfig ${file}: ${told}; correct the file`);
  }
}

interface UsersOfFile {
  users?: { name: string; user?: { tokenFile?: string } }[] | null;
}

/** Adds to client-node's reading of kubeconfig files what it leaves out and client-go has. */
class CompleteKubeConfig extends KubeConfig {
  override loadFromFile(file: string): void {
    readConfig(file, () => {
      super.loadFromFile(file);
      const { users } = loadYaml<UsersOfFile>(readFileSync(file, 'utf8'));
      const tokenFiles = new Map(users?.map(({ name, user }) => [name, user?.tokenFile]));
      const folder = dirname(file);
      this.users = this.users.map((user) =>
        withCommandPath(withTokenFile(user, tokenFiles.get(user.name), folder), folder),
      );
    });
  }
}

/** A token file is read again and again, and comes before a token (client-go, tools/clientcmd/api). */
function withTokenFile({ token, ...user }: User, tokenFile: string | undefined, folder: string): User {
  if (!tokenFile) return token === undefined ? user : { ...user, token };
  return { ...user, authProvider: { name: 'tokenFile', config: { tokenFile: resolve(folder, tokenFile) } } };
}

/**
 * A command with a separator in it is a path, and a relative one begins at the kubeconfig's folder; any other is looked up in PATH
 * (client-go, tools/clientcmd, GetAuthInfoFileReferences and ResolvePaths).
 */
function withCommandPath(user: User, folder: string): User {
  const exec = user.exec as Exec | null | undefined;
  if (!exec?.command.includes(sep)) return user;
  return { ...user, exec: { ...exec, command: resolve(folder, exec.command) } };
}

interface Exec {
  command: string;
  apiVersion?: string;
  env?: { name: string; value: string }[] | null;
  provideClusterInfo?: boolean;
}

/** Tells an exec plugin what it is run for (client-go, plugin/pkg/client/auth/exec). */
function withExecInfo(user: User, cluster: Cluster | null): User {
  const exec = user.exec as Exec | null | undefined;
  if (!exec) return user;
  const spec = {
    interactive: false,
    ...(exec.provideClusterInfo && cluster && { cluster: clusterInfo(cluster) }),
  };
  const info = { kind: 'ExecCredential', apiVersion: exec.apiVersion, spec };
  const variable = { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) };
  return { ...user, exec: { ...exec, env: [...(exec.env ?? []), variable] } };
}

function clusterInfo({ server, caData, caFile, skipTLSVerify, tlsServerName, proxyUrl }: Cluster): object {
  return {
    server,
    'tls-server-name': tlsServerName,
    'insecure-skip-tls-verify': skipTLSVerify || undefined,
    'certificate-authority-data': caData ?? (caFile && readFileSync(caFile, 'base64')),
    'proxy-url': proxyUrl,
  };
}
