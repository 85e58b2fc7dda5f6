import { Redacted } from '../../common/redacted.ts';
import type { Place, Tools } from '../port.ts';
import { RegistryError } from '../errors.ts';
import { askAws, type AwsInquiry, type AwsService } from './aws-request.ts';
import { identityOf, secretsOf, type AwsKeys, type EcrCredentials } from './credentials.ts';
import { regionOf, tokenServiceOf } from './regions.ts';

/** Environment variables of the pod. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface AwsIdentityOptions {
  /** Name of the account. */
  account: string;
  credentials: EcrCredentials;
  stsEndpoint: string | undefined;
  externalId: string | undefined;
  environment: Environment;
  tools: Tools;
}

/** The session of a role that is requested. */
export interface SessionRequest {
  roleArn: string;
  policy: string;
  /** Milliseconds. */
  duration: number;
}

type Purpose = Pick<AwsInquiry, 'operation' | 'guard'>;

/** The AWS identity of an account. Nothing is cached: every exchange begins with fresh credentials. */
export class AwsIdentity {
  readonly #options: AwsIdentityOptions;

  constructor(options: AwsIdentityOptions) {
    this.#options = options;
  }

  /** The account's own keys: of its Secret, or of the pod. */
  async keys(place: Place, purpose: Purpose, signal: AbortSignal): Promise<AwsKeys> {
    const { credentials, environment } = this.#options;
    if (credentials.kind === 'keys') return credentials.keys;
    const { AWS_ROLE_ARN: roleArn, AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile } = environment;
    if (roleArn && tokenFile) return this.#ofServiceAccount(place, roleArn, tokenFile, purpose, signal);
    const { AWS_CONTAINER_CREDENTIALS_FULL_URI: uri, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: podTokenFile } =
      environment;
    if (uri && podTokenFile) return this.#ofPodIdentity(uri, podTokenFile, signal);
    throw new RegistryError(
      'Unauthorized',
      "the account names no credentials Secret, and the operator's pod has no identity at AWS (AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE, or AWS_CONTAINER_CREDENTIALS_FULL_URI); set credentialsSecretRef, or give the operator's ServiceAccount a role by IRSA or EKS Pod Identity and restart the pod",
    );
  }

  /** The keys of a new session of a role. */
  async assume(
    place: Place,
    keys: AwsKeys,
    { roleArn, policy, duration }: SessionRequest,
    purpose: Purpose,
    signal: AbortSignal,
  ): Promise<AwsKeys> {
    const { STSClient, AssumeRoleCommand } = await import('./sdk.ts');
    const { account, externalId } = this.#options;
    const inquiry = {
      ...purpose,
      purpose: `assume role ${roleArn}`,
      secrets: [...secretsOf(keys), new Redacted(policy)],
    };
    const command = new AssumeRoleCommand({
      RoleArn: roleArn,
      RoleSessionName: sessionName(account),
      DurationSeconds: Math.floor(duration / 1000),
      Policy: policy,
      ...(externalId !== undefined && { ExternalId: externalId }),
    });
    const { Credentials: given } = await askAws(
      this.#sts(place),
      inquiry,
      (settings) => new STSClient({ ...settings, credentials: identityOf(keys) }).send(command),
      signal,
    );
    const session = keysOf({
      accessKeyId: given?.AccessKeyId,
      secretAccessKey: given?.SecretAccessKey,
      sessionToken: given?.SessionToken,
      expiration: given?.Expiration,
    });
    if (session) return session;
    throw new RegistryError('Unavailable', `could not ${inquiry.purpose}: the answer holds no credentials`);
  }

  /** Number of the AWS account that keys belong to. */
  async accountId(place: Place, keys: AwsKeys, signal: AbortSignal): Promise<string> {
    const { STSClient, GetCallerIdentityCommand } = await import('./sdk.ts');
    const purpose = 'find out whose the credentials are';
    const { Account: id } = await askAws(
      this.#sts(place),
      { operation: 'verify', purpose, secrets: secretsOf(keys) },
      (settings) =>
        new STSClient({ ...settings, credentials: identityOf(keys) }).send(new GetCallerIdentityCommand({})),
      signal,
    );
    if (id !== undefined && /^\d{12}$/.test(id)) return id;
    throw new RegistryError('Unavailable', `could not ${purpose}: the answer names no account`);
  }

  /** IAM roles for service accounts: a token of the cluster against a session of a role. */
  async #ofServiceAccount(
    place: Place,
    roleArn: string,
    webIdentityTokenFile: string,
    purpose: Purpose,
    signal: AbortSignal,
  ): Promise<AwsKeys> {
    const { fromTokenFile } = await import('./sdk.ts');
    const inquiry = { ...purpose, purpose: `assume the pod's role ${roleArn}`, secrets: [] };
    const roleSessionName = sessionName(this.#options.account);
    const keys = keysOf(
      await askAws(
        this.#sts(place),
        inquiry,
        (settings) =>
          fromTokenFile({ roleArn, webIdentityTokenFile, roleSessionName, clientConfig: { ...settings } })(),
        signal,
      ),
    );
    if (keys) return keys;
    throw new RegistryError('Unavailable', `could not ${inquiry.purpose}: the answer holds no credentials`);
  }

  /** EKS Pod Identity: an agent on the node has them. It is asked once, directly, and within a second. */
  async #ofPodIdentity(uri: string, tokenFile: string, signal: AbortSignal): Promise<AwsKeys> {
    const { fromHttp } = await import('./sdk.ts');
    const provider = fromHttp({
      awsContainerCredentialsFullUri: uri,
      awsContainerAuthorizationTokenFile: tokenFile,
      maxRetries: 0,
      timeout: 1_000,
      logger: SILENT,
    });
    const what = "could not get the pod's credentials from the EKS Pod Identity Agent";
    let given;
    try {
      given = await provider();
    } catch (error) {
      signal.throwIfAborted();
      const [, status] = /^Server responded with status: (\d{3})$/.exec((error as Error).message) ?? [];
      const heard = status === undefined ? (error as Error).name : `it answered ${status}`;
      throw new RegistryError(
        status?.startsWith('4') ? 'Unauthorized' : 'Unavailable',
        `${what}: ${heard}; check the pod identity association of the operator's ServiceAccount and the agent on its node`,
      );
    }
    const keys = keysOf(given);
    if (keys) return keys;
    throw new RegistryError('Unavailable', `${what}: the answer holds no credentials`);
  }

  /**
   * The token service beside a place, with a rate limit and a breaker of its own. All regions share it: its clock is used for a region
   * that has not answered yet.
   */
  #sts(place: Place): AwsService {
    const { stsEndpoint, tools } = this.#options;
    const { endpoint, region } = tokenServiceOf(regionOf(place), stsEndpoint);
    const service: Place = { region: '', host: '', endpoint };
    return { client: tools.client(service), endpoint, region, now: () => tools.registryNow(service) };
  }
}

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** As in CloudTrail. */
function sessionName(account: string): string {
  return `registry-token-operator@${account.replaceAll(/[^\w+=,.@-]/g, '-')}`.slice(0, 64);
}

function keysOf(given: {
  accessKeyId: string | undefined;
  secretAccessKey: string | undefined;
  sessionToken?: string | undefined;
  expiration?: Date | undefined;
}): AwsKeys | undefined {
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = given;
  if (!accessKeyId || !secretAccessKey || !sessionToken || !expiration) return undefined;
  return {
    accessKeyId: new Redacted(accessKeyId),
    secretAccessKey: new Redacted(secretAccessKey),
    sessionToken: new Redacted(sessionToken),
    expiresAt: expiration.getTime(),
  };
}
