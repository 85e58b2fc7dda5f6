import { execFile } from 'node:child_process';
import { fromTime } from '../api/time.ts';

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

/** Bytes; certificates and tokens of groups take some tens of thousands. */
const LARGEST_OUTPUT = 2 ** 20;

/**
 * Runs a credential plugin once; it is killed when the signal aborts.
 * Its answer is an ExecCredential (client-go, pkg/apis/clientauthentication).
 * @throws ExecPluginFailure
 */
export async function runExecPlugin(
  { command, args, env }: ExecCommand,
  signal: AbortSignal,
): Promise<Granted> {
  // oxlint-disable-next-line no-restricted-globals -- a plugin inherits the environment, as client-go has it
  const inherited = process.env;
  const added = Object.fromEntries((env ?? []).map(({ name, value }) => [name, value]));
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = execFile(
    command,
    args ?? [],
    { env: { ...inherited, ...added }, signal, killSignal: 'SIGKILL', maxBuffer: LARGEST_OUTPUT },
    (error, output) => (error ? reject(new ExecPluginFailure(reasonOf(error))) : resolve(output)),
  );
  child.stdin?.end();
  return read(await promise);
}

function reasonOf({ code, signal }: { code?: unknown; signal?: unknown }): string {
  if (typeof code === 'number') return `its command ended with exit code ${code}`;
  if (typeof signal === 'string') return `its command was ended by ${signal}`;
  return typeof code === 'string' ? code : 'its command failed';
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
