import type { RequestOptions } from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import { KubeConfig, type User } from '@kubernetes/client-node';
import { abortable } from '../../common/abortable.ts';
import type { Clock } from '../../common/clock.ts';
import { DeadlinePassed, withDeadline } from '../../common/deadline.ts';
import type { Logger } from '../../common/logger.ts';
import { KubeError } from '../client/errors.ts';
import { ExecPluginFailure, runExecPlugin, type ExecCommand, type Granted } from './exec-plugin.ts';

/** How long files are trusted before they are read again; client-go's interval for token files. */
const FRESH_FOR = 60_000;
/** What expires at once is not read for every call. */
const FRESH_AT_LEAST = 10_000;
/** The part of its remaining life for which a token that expires soon is used. */
const USED_LIFE = 0.9;

/** How long reading them may take, in milliseconds: an exec plugin can hang, and would hold up every call. */
const READ_TIME = 30_000;
/** As long while those read before are there to go on with. */
const REREAD_TIME = 5_000;
const NEVER = new AbortController().signal;

/** TLS material and headers that authenticate to the API server, as of one moment. */
export interface Access {
  readonly tls: Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized'>;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Credentials of a kubeconfig's current context. The CA, certificate, key and token files are read again every minute, exec
 * plugins are asked again shortly before what they granted expires, OIDC when its token has expired, and everything at once
 * after a 401.
 */
export class Credentials {
  readonly #clock: Clock;
  readonly #logger: Logger;
  #kubeConfig: KubeConfig;
  #access: Access | undefined;
  /** What an exec plugin granted last. */
  #granted: Granted | undefined;
  /** Milliseconds of the monotonic clock. */
  #freshUntil = -Infinity;
  #reading: Promise<Access> | undefined;

  constructor(kubeConfig: KubeConfig, clock: Clock, logger: Logger) {
    this.#kubeConfig = kubeConfig;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** What was read a short time ago; undefined when it is time to read again. */
  get fresh(): Access | undefined {
    return this.#clock.monotonic() < this.#freshUntil ? this.#access : undefined;
  }

  /**
   * What to authenticate with now. When reading again fails or takes long, what was read before stays in use.
   * @throws KubeError when nothing could be read yet
   */
  async current(): Promise<Access> {
    const { fresh } = this;
    if (fresh) return fresh;
    try {
      return await this.#read(this.#access ? REREAD_TIME : READ_TIME);
    } catch (error) {
      if (!this.#access) throw error;
      this.#freshUntil = this.#clock.monotonic() + FRESH_FOR;
      this.#logger.warn({ error: (error as Error).message }, 'Using the API server credentials read before');
      return this.#access;
    }
  }

  /**
   * New credentials after `refused` were answered with 401; those in use, when others have been obtained meanwhile.
   * @throws KubeError when they cannot be obtained
   */
  async renew(refused: Access): Promise<Access> {
    if (this.#access && this.#access !== refused) return this.#access;
    if (!this.#reading) {
      this.#granted = undefined;
      this.#kubeConfig = withoutCaches(this.#kubeConfig);
    }
    return this.#read(READ_TIME);
  }

  /** Reads them once for all who ask meanwhile. A plugin that takes longer than `limit` is killed. */
  #read(limit: number): Promise<Access> {
    this.#reading ??= withDeadline(this.#clock, limit, NEVER, (signal) =>
      abortable(this.#readNow(signal), signal),
    )
      .catch((error: unknown) => {
        throw unreadable(
          this.#kubeConfig,
          error instanceof DeadlinePassed ? `nothing came within ${limit / 1000} s` : reasonOf(error),
        );
      })
      .finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  async #readNow(signal: AbortSignal): Promise<Access> {
    const exec = execOf(this.#kubeConfig);
    if (exec && (!this.#granted || this.#lifeLeft() < FRESH_FOR))
      this.#granted = await runExecPlugin(exec, signal);
    const access = await accessOf(this.#kubeConfig, exec && this.#granted);
    // What comes late must not take the place of what was read since.
    signal.throwIfAborted();
    this.#access = access;
    const life = Math.max(this.#lifeLeft() * USED_LIFE, FRESH_AT_LEAST);
    this.#freshUntil = this.#clock.monotonic() + Math.min(FRESH_FOR, life);
    return access;
  }

  /** Milliseconds for which what a plugin granted is good still. */
  #lifeLeft(): number {
    return (this.#granted?.expiresAt ?? Infinity) - this.#clock.now();
  }
}

/** A copy that has to ask every authenticator anew; the authenticators of a KubeConfig keep what they got. */
function withoutCaches(
  { clusters, users, contexts, currentContext }: KubeConfig,
  change: (user: User) => User = (user) => user,
): KubeConfig {
  const copy = new KubeConfig();
  copy.loadFromOptions({ clusters, users: users.map(change), contexts, currentContext });
  return copy;
}

/** Credentials are sent over TLS only, as client-go has it. */
const usesTls = (kubeConfig: KubeConfig): boolean =>
  kubeConfig.getCurrentCluster()?.server.startsWith('https:') ?? false;

function execOf(kubeConfig: KubeConfig): ExecCommand | undefined {
  const { exec } = kubeConfig.getCurrentUser() ?? {};
  return usesTls(kubeConfig) ? ((exec as ExecCommand | null | undefined) ?? undefined) : undefined;
}

/** @param granted by the user's exec plugin, where it has one */
async function accessOf(kubeConfig: KubeConfig, granted: Granted | undefined): Promise<Access> {
  if (!usesTls(kubeConfig)) return { tls: {}, headers: {} };
  const options: RequestOptions = { headers: {} };
  await sourceOf(kubeConfig, granted).applyToHTTPSOptions(options);
  const { auth, ca, servername, rejectUnauthorized } = options;
  const { cert = options.cert, key = options.key } = granted ?? {};
  const headers = { ...(options.headers as Record<string, string>) };
  if (auth) headers['Authorization'] = `Basic ${Buffer.from(auth).toString('base64')}`;
  if (granted?.token !== undefined) headers['Authorization'] = `Bearer ${granted.token}`;
  // A token file usually ends in a newline, which a header must not.
  for (const [name, value] of Object.entries(headers)) headers[name] = value.trim();
  const tls = Object.entries({ ca, cert, key, servername, rejectUnauthorized });
  return { tls: Object.fromEntries(tls.filter(([, value]) => value !== undefined)), headers };
}

/** What else than an exec plugin gives credentials, for client-node to read. */
function sourceOf(kubeConfig: KubeConfig, granted: Granted | undefined): KubeConfig {
  if (granted) return withoutCaches(kubeConfig, (user) => ({ ...user, exec: undefined }));
  // Its token file is read at most once a minute by the clock of the authenticator; a copy reads it now.
  return kubeConfig.getCurrentUser()?.authProvider?.name === 'tokenFile'
    ? withoutCaches(kubeConfig)
    : kubeConfig;
}

function reasonOf(error: unknown): string {
  if (error instanceof ExecPluginFailure) return error.message;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : 'its authentication plugin or file failed';
}

function unreadable(kubeConfig: KubeConfig, why: string): KubeError {
  return new KubeError(
    `Cannot read the credentials of kubeconfig user ${JSON.stringify(kubeConfig.getCurrentUser()?.name)}` +
      ` (${why}): check the files and commands it names`,
  );
}
