import { spawn } from 'node:child_process';
import { env as inherited, kill } from 'node:process';
import { fromTime } from '../../api/syntax/time.ts';

/** The command of a kubeconfig user, `users[].user.exec`. */
export interface ExecCommand {
  command: string;
  args?: string[] | null;
  env?: { name: string; value: string }[] | null;
}

/** What a plugin grants. */
export interface Granted {
  token: string | undefined;
  cert: string | undefined;
  key: string | undefined;
  /** Wall-clock milliseconds; undefined when it holds until it is refused. */
  expiresAt: number | undefined;
}

/** A plugin gave nothing of use. Its message never holds what the plugin printed. */
export class ExecPluginFailure extends Error {
  override readonly name = 'ExecPluginFailure';
}

/** Characters; certificates and tokens of groups take some tens of thousands. */
const MAX_OUTPUT = 2 ** 20;

/**
 * Runs a credential plugin once; it is killed when the signal aborts, with all that it started.
 * Its answer is an ExecCredential (client-go, pkg/apis/clientauthentication).
 * @throws ExecPluginFailure
 */
export async function runExecPlugin(
  { command, args, env }: ExecCommand,
  signal: AbortSignal,
): Promise<Granted> {
  const added = Object.fromEntries((env ?? []).map(({ name, value }) => [name, value]));
  const child = spawn(command, args ?? [], {
    env: { ...inherited, ...added },
    // In a process group of its own, which can be killed as a whole.
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let output = '';
  const stop = (failure: string): void => {
    if (child.pid !== undefined) killGroup(child.pid);
    child.stdout.destroy();
    reject(new ExecPluginFailure(failure));
  };
  const onAbort = (): void => stop('its command took too long');
  signal.addEventListener('abort', onAbort, { once: true });
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
    if (output.length > MAX_OUTPUT) stop('its command printed too much');
  });
  child.on('error', (error: NodeJS.ErrnoException) => stop(error.code ?? 'its command failed'));
  child.on('close', (code, name) => {
    if (code === 0) resolve(output);
    else reject(new ExecPluginFailure(`its command ended with ${name ?? `exit code ${code}`}`));
  });
  try {
    return read(await promise);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** All that is left of it; nothing may be. */
function killGroup(pid: number): void {
  try {
    kill(-pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}

function read(output: string): Granted {
  const { token, clientCertificateData, clientKeyData, expirationTimestamp } = statusOf(output);
  const granted = {
    token: textOrNothing(token),
    cert: textOrNothing(clientCertificateData),
    key: textOrNothing(clientKeyData),
    expiresAt: fromTime(textOrNothing(expirationTimestamp)),
  };
  if (granted.token === undefined && (granted.cert === undefined || granted.key === undefined))
    throw new ExecPluginFailure('its command gave neither a token nor a certificate with its key');
  return granted;
}

function statusOf(output: string): Record<string, unknown> {
  try {
    const { status } = JSON.parse(output) as { status?: unknown };
    if (typeof status === 'object' && status !== null) return status as Record<string, unknown>;
  } catch {
    // Told below, without what was printed.
  }
  throw new ExecPluginFailure('its command printed no ExecCredential with a status');
}

const textOrNothing = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;
