import type { Reason } from '../../api/reasons.ts';
import { accountFault, type RegistryAccount } from '../../api/registry-account.ts';
import type { RegistryToken, RegistryTokenStatus } from '../../api/registry-token.ts';
import type { Redacted } from '../../common/redacted.ts';
import { KubeError } from '../../kube/client/errors.ts';
import { namedProviders, PROVIDER_NAMES, providerOf, type Credentials } from '../../registry/backends.ts';
import type { RegistryDirectory } from '../../registry/directory.ts';
import { credentialsData } from '../../registry/credentials-data.ts';
import { withTrueEnding, type IssueAt } from '../../token/lifecycle/ending.ts';
import type { Failure } from '../../token/lifecycle/failure.ts';
import { placesOf } from '../../token/sweep/sweep-regions.ts';
import { failureOf } from '../shared/failures.ts';
import type { SecretObject, SecretStore } from '../token/secret-store.ts';
import type { Verdict } from './account-condition.ts';
import { credentialsOf, type AccountSessions } from './account-sessions.ts';

export interface CredentialsCheckOptions {
  /** Whether there are watched namespaces whose RegistryTokens are not known now. */
  unreadable: () => boolean;
  /** The RegistryTokens that refer to an account. */
  tokensOf: (account: string) => readonly RegistryToken[];
  secrets: Pick<SecretStore, 'read'>;
  sessions: AccountSessions;
  directory: Pick<RegistryDirectory, 'verify'>;
  operatorNamespace: string;
  /** Told of every key read, so that no log line lets one through. */
  protect: (secret: Redacted) => void;
}

/** Reads the credentials of accounts from the operator's namespace, tries them, and takes them into use where they may be. */
export class CredentialsCheck {
  readonly #options: CredentialsCheckOptions;
  /** What is told of each account that can't be used, by name: the same words while the trouble is the same. */
  readonly #problems = new Map<string, { cause: string; message: string }>();

  constructor(options: CredentialsCheckOptions) {
    this.#options = options;
  }

  /** The account works, or is gone: its next trouble is another. */
  forgetProblem(account: string): void {
    this.#problems.delete(account);
  }

  /**
   * @returns whose they are or what is wrong with them, and whether that or their use changed
   * @throws KubeError
   */
  async check(
    account: RegistryAccount,
    signal: AbortSignal,
  ): Promise<{ verdict: Verdict; changed: boolean }> {
    const { secrets, sessions, directory, operatorNamespace } = this.#options;
    const secretName = account.spec.credentialsSecretRef?.name;
    let secret: SecretObject | undefined;
    try {
      secret =
        secretName === undefined
          ? undefined
          : await secrets.read({ namespace: operatorNamespace, name: secretName }, signal);
    } catch (error) {
      if (!(error instanceof KubeError && error.isForbidden)) throw error;
      const message = `credentials Secret ${operatorNamespace}/${secretName} can't be read: ${error.message}; let the operator get Secrets in its own namespace`;
      const forbidden: Failure = { reason: 'CredentialsNotFound', message, retryable: false };
      const unread = `${account.metadata.uid}/${account.metadata.generation}/forbidden`;
      return { verdict: forbidden, changed: sessions.update(account, unread, undefined, message, undefined) };
    }
    const version = `${account.metadata.uid}/${account.metadata.generation}/${secret?.metadata.uid}/${secret?.metadata.resourceVersion}`;
    const credentials = readCredentials(account, secret, secretName && `${operatorNamespace}/${secretName}`);
    if ('reason' in credentials) {
      const changed = sessions.update(account, version, undefined, credentials.message, undefined);
      return { verdict: credentials, changed };
    }
    for (const value of credentials.secrets) this.#options.protect(value);
    const usable = credentialsOf(account, credentials);
    let verdict: Verdict;
    try {
      verdict = await directory.verify(usable, signal);
    } catch (error) {
      verdict = failureOf(error);
    }
    if ('identity' in verdict) verdict = this.#ofAnother(account, verdict.identity) ?? verdict;
    const fails = 'reason' in verdict;
    // To the credentials of another the tokens there are would seem gone: none is used before it is known whose they are.
    const isToUse = !fails || account.status?.provider === undefined || sessions.uses(account, version);
    const problem = 'reason' in verdict ? this.#inStableWords(account, version, verdict) : undefined;
    const identity = 'identity' in verdict ? verdict.identity : undefined;
    const changed = sessions.update(account, version, isToUse ? credentials : undefined, problem, identity);
    return { verdict, changed };
  }

  /** What is the matter, for those who wait for the account: messages of a registry differ at each try in times and request ids. */
  #inStableWords({ metadata }: RegistryAccount, version: string, { reason, message }: Failure): string {
    const cause = `${reason} ${version}`;
    const before = this.#problems.get(metadata.name);
    if (before?.cause === cause) return before.message;
    const words = message.replaceAll(/ \(request [^)]*\)/g, '');
    this.#problems.set(metadata.name, { cause, message: words });
    return words;
  }

  /** Says so, if the credentials are another's than the tokens there are, and nobody said that they are to be. */
  #ofAnother(account: RegistryAccount, identity: string): Failure | undefined {
    const provider = providerOf(account.spec);
    const { name, identity: recorded } = account.status?.provider ?? {};
    if (recorded === undefined || recorded === identity) return undefined;
    if (name !== provider?.name || provider?.identity === identity) return undefined;
    const { tokensOf, unreadable } = this.#options;
    const issueAt: IssueAt = (issued) =>
      issued.account === account.metadata.name ? provider?.capabilities.issue : undefined;
    const holdsTokens = (status: RegistryTokenStatus): boolean =>
      placesOf({ status: withTrueEnding(status, issueAt) }).length > 0;
    const holds =
      unreadable() || tokensOf(account.metadata.name).some(({ status = {} }) => holdsTokens(status));
    if (!holds && (account.status?.retainedTokens ?? []).length === 0) return undefined;
    const field = provider?.identityField;
    const otherwise = field === undefined ? '' : `, or set ${field} to ${identity} to give those tokens up`;
    return {
      reason: 'CredentialsInvalid',
      message: `the credentials belong to account ${identity}, but there are tokens of account ${recorded}; put credentials of that account there${otherwise}`,
      retryable: false,
    };
  }
}

/** What an account is to be used with, or what is wrong with it. @param name of the Secret, if it names one */
function readCredentials(
  { spec }: RegistryAccount,
  secret: SecretObject | undefined,
  name: string | undefined,
): Credentials | Failure {
  const fault = accountFault(spec) ?? providerFault(spec) ?? providerOf(spec)?.fault;
  if (fault !== undefined) return { reason: 'InvalidSpec', message: fault, retryable: false };
  const data = name === undefined ? undefined : credentialsData(secret?.data);
  const read = providerOf(spec)?.readCredentials(data) ?? { problem: '' };
  if (!('problem' in read)) return read;
  const reason: Reason = secret ? 'CredentialsInvalid' : 'CredentialsNotFound';
  const flaw = secret ? 'is not complete' : 'is not there; create it';
  const where =
    name === undefined ? 'spec names no credentials Secret' : `credentials Secret ${name} ${flaw}`;
  return { reason, message: `${where}: ${read.problem}`, retryable: false };
}

/** As the CRD's CEL rule has it, which API servers older than 1.25 drop. */
function providerFault(spec: RegistryAccount['spec']): string | undefined {
  const names = namedProviders(spec);
  if (names.length === 1) return undefined;
  const given = names.length === 0 ? 'none' : names.join(' and ');
  return `spec takes exactly one of ${PROVIDER_NAMES.join(', ')}; it has ${given}`;
}
