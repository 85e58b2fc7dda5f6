import { hash } from 'node:crypto';
import { Redacted } from '../../common/redacted.ts';
import type { IssuedToken } from '../port.ts';
import { RegistryError } from '../errors.ts';
import { askAws, type AwsInquiry, type AwsService } from './aws-request.ts';
import { identityOf, secretsOf, type AwsKeys } from './credentials.ts';

/** Where an authorization token is from. */
export interface TokenSource extends AwsService {
  public: boolean;
  guard: AwsInquiry['guard'];
}

/**
 * Exchanges keys for an authorization token: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
 * It is for all registries that the keys give access to, whatever host the answer names: that is the registry of the keys' account.
 * It ends with the session that the keys are of, if that is earlier than what AWS says.
 */
export async function authorizationToken(
  source: TokenSource,
  keys: AwsKeys,
  signal: AbortSignal,
): Promise<IssuedToken> {
  const inquiry: AwsInquiry = {
    operation: 'mint',
    purpose: 'get an authorization token',
    secrets: secretsOf(keys),
    guard: source.guard,
  };
  const sdk = await import('./sdk.ts');
  const credentials = identityOf(keys);
  const { data, requestId } = await askAws(
    source,
    inquiry,
    async (settings) => {
      if (source.public) {
        const client = new sdk.ECRPUBLICClient({ ...settings, credentials });
        const answer = await client.send(new sdk.GetPublicAuthorizationTokenCommand({}));
        return { data: answer.authorizationData, requestId: answer.$metadata.requestId };
      }
      const client = new sdk.ECRClient({ ...settings, credentials });
      const answer = await client.send(new sdk.GetAuthorizationTokenCommand({}));
      return { data: answer.authorizationData?.[0], requestId: answer.$metadata.requestId };
    },
    signal,
  );
  const pair = Buffer.from(data?.authorizationToken ?? '', 'base64').toString();
  const [, username, password] = /^([^:]+):(\S+)$/.exec(pair) ?? [];
  const wrong = (flaw: string): RegistryError =>
    new RegistryError('Unavailable', `could not ${inquiry.purpose}: the answer ${flaw}`, { requestId });
  const ends = data?.expiresAt?.getTime();
  if (username === undefined || password === undefined || ends === undefined || Number.isNaN(ends))
    throw wrong('holds none');
  const expiresAt = Math.min(ends, keys.expiresAt ?? Infinity);
  if (expiresAt <= source.now()) throw wrong('holds one that has expired');
  // AWS gives it no id: this one differs between requests.
  const name = [source.endpoint, requestId, expiresAt].join(' ');
  const id = `ecr-${hash('sha256', name).slice(0, 20)}`;
  return { id, username, value: new Redacted(password), expiresAt };
}
