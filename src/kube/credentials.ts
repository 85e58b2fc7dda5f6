import type { RequestOptions } from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import { KubeConfig } from '@kubernetes/client-node';
import { abortable } from '../common/abortable.ts';
import type { Clock } from '../common/clock.ts';
import { DeadlinePassed, withDeadline } from '../common/deadline.ts';
import type { Logger } from '../common/logger.ts';
import { KubeError } from './errors.ts';

/** How long files are trusted before they are read again; client-go's interval for token files. */
const FRESH_FOR = 60_000;

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
 * plugins and OIDC are asked again when their token has expired, and everything at once after a 401.
 */
export class Credentials {
  readonly #clock: Clock;
  readonly #logger: Logger;
  #kubeConfig: KubeConfig;
  #access: Access | undefined;
  #readAt = 0;
  #reading: Promise<Access> | undefined;

  constructor(kubeConfig: KubeConfig, clock: Clock, logger: Logger) {
    this.#kubeConfig = kubeConfig;
    this.#clock = clock;
    this.#logger = logger;
  }

  /**
   * What to authenticate with now. When reading again fails or takes long, what was read before stays in use.
   * @throws KubeError when nothing could be read yet
   */
  async current(): Promise<Access> {
    if (this.#access && this.#clock.monotonic() - this.#readAt < FRESH_FOR) return this.#access;
    try {
      return await this.#read(this.#access ? REREAD_TIME : READ_TIME);
    } catch (error) {
      if (!this.#access) throw error;
      this.#readAt = this.#clock.monotonic();
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
    if (!this.#reading) this.#kubeConfig = withoutCaches(this.#kubeConfig);
    return this.#read(READ_TIME);
  }

  /** Reads them once for all who ask meanwhile. A plugin that takes longer than `limit` is left to itself. */
  #read(limit: number): Promise<Access> {
    this.#reading ??= withDeadline(this.#clock, limit, NEVER, (signal) =>
      abortable(readAccess(this.#kubeConfig), signal),
    )
      .then((access) => {
        this.#access = access;
        this.#readAt = this.#clock.monotonic();
        return access;
      })
      .catch((error: unknown) => {
        if (!(error instanceof DeadlinePassed)) throw error;
        throw unreadable(this.#kubeConfig, `nothing came within ${limit / 1000} s`);
      })
      .finally(() => (this.#reading = undefined));
    return this.#reading;
  }
}

/** A copy that has to ask every authenticator anew; the authenticators of a KubeConfig keep what they got. */
function withoutCaches({ clusters, users, contexts, currentContext }: KubeConfig): KubeConfig {
  const copy = new KubeConfig();
  copy.loadFromOptions({ clusters, users, contexts, currentContext });
  return copy;
}

async function readAccess(kubeConfig: KubeConfig): Promise<Access> {
  const server = kubeConfig.getCurrentCluster()?.server ?? '';
  // As client-go has it, credentials are sent over TLS only.
  if (!server.startsWith('https:')) return { tls: {}, headers: {} };
  const user = kubeConfig.getCurrentUser();
  // Its token file is read at most once a minute by the clock of the authenticator; a copy reads it now.
  const source = user?.authProvider?.name === 'tokenFile' ? withoutCaches(kubeConfig) : kubeConfig;
  const headers: Record<string, string> = {};
  const options: RequestOptions = { headers };
  try {
    await source.applyToHTTPSOptions(options);
  } catch (error) {
    const { code } = error as { code?: unknown };
    throw unreadable(
      kubeConfig,
      typeof code === 'string' ? code : 'its authentication plugin or file failed',
    );
  }
  const { auth, ca, cert, key, servername, rejectUnauthorized } = options;
  if (auth) headers['Authorization'] = `Basic ${Buffer.from(auth).toString('base64')}`;
  // A token file usually ends in a newline, which a header must not.
  for (const [name, value] of Object.entries(headers)) headers[name] = value.trim();
  const tls = Object.entries({ ca, cert, key, servername, rejectUnauthorized });
  return { tls: Object.fromEntries(tls.filter(([, value]) => value !== undefined)), headers };
}

function unreadable(kubeConfig: KubeConfig, why: string): KubeError {
  return new KubeError(
    `Cannot read the credentials of kubeconfig user ${JSON.stringify(kubeConfig.getCurrentUser()?.name)}` +
      ` (${why}): check the files and commands it names`,
  );
}
