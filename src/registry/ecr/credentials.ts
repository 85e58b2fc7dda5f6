import { Redacted } from '../../common/redacted.ts';

/** What requests to AWS are signed with. */
export interface AwsKeys {
  accessKeyId: Redacted;
  secretAccessKey: Redacted;
  /** Of temporary ones. */
  sessionToken: Redacted | undefined;
  /** Milliseconds since 1970; undefined when they don't expire, or the expiry is not known. */
  expiresAt: number | undefined;
}

/** Keys from the credentials Secret, or the pod's own identity. */
export type EcrCredentials = { kind: 'keys'; keys: AwsKeys } | { kind: 'pod' };

/** Reads the credentials Secret of an account. @param data undefined: the account names none */
export function readKeys(
  data: ReadonlyMap<string, Redacted> | undefined,
): { credentials: EcrCredentials } | { problem: string } {
  if (!data) return { credentials: { kind: 'pod' } };
  const [accessKeyId, secretAccessKey] = [data.get('accessKeyId'), data.get('secretAccessKey')].map(trimmed);
  if (!accessKeyId || !secretAccessKey)
    return {
      problem:
        "Amazon ECR needs the keys accessKeyId and secretAccessKey (and sessionToken, if they are temporary) in the credentials Secret; leave credentialsSecretRef out to use the pod's own identity",
    };
  const sessionToken = trimmed(data.get('sessionToken'));
  return {
    credentials: { kind: 'keys', keys: { accessKeyId, secretAccessKey, sessionToken, expiresAt: undefined } },
  };
}

/** Keys are copied with a line break at the end. */
function trimmed(value: Redacted | undefined): Redacted | undefined {
  const text = value?.reveal().trim();
  return text ? new Redacted(text) : undefined;
}

/** Keys in the SDK's form, without the expiry, which it would compare with its own clock. */
export function identityOf({ accessKeyId, secretAccessKey, sessionToken }: AwsKeys): {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
} {
  return {
    accessKeyId: accessKeyId.reveal(),
    secretAccessKey: secretAccessKey.reveal(),
    ...(sessionToken && { sessionToken: sessionToken.reveal() }),
  };
}

/** Secrets in a request that is signed with keys; no message may show them. */
export function secretsOf({ accessKeyId, secretAccessKey, sessionToken }: AwsKeys): Redacted[] {
  return [accessKeyId, secretAccessKey, ...(sessionToken ? [sessionToken] : [])];
}
