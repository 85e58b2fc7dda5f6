import type { Clock } from '../../../src/common/clock.ts';
import type { Request } from '../shared/message.ts';
import type { Principal, Session, User } from './principals.ts';
import { isSignedWith, signatureOf } from './signature.ts';

/** Why a request is not from whom it says. */
export type Refusal =
  | 'MissingAuthenticationToken'
  | 'InvalidClientTokenId'
  | 'ExpiredToken'
  | 'SignatureDoesNotMatch'
  | 'SignatureExpired';

/** How old a signature may be, and how far in the future. Milliseconds. */
const MAX_AGE = 15 * 60_000;

/** Who calls AWS, by the signatures of requests. */
export class Callers {
  readonly users: readonly User[];
  readonly sessions: Session[] = [];
  readonly #clock: Clock;

  constructor(users: readonly User[], clock: Clock) {
    this.users = users;
    this.#clock = clock;
  }

  /** @param service that is called, which has to be the one that the request was signed for */
  authenticate(request: Request, service: string): { principal: Principal } | { refusal: Refusal } {
    const signature = signatureOf(request);
    if (!signature) return { refusal: 'MissingAuthenticationToken' };
    const { accessKeyId, sessionToken, time } = signature;
    const user = this.users.find((each) => each.accessKeyId === accessKeyId);
    const session = this.sessions.find((each) => each.accessKeyId === accessKeyId);
    if (session ? session.sessionToken !== sessionToken : !user || sessionToken !== undefined)
      return { refusal: 'InvalidClientTokenId' };
    const secret = session?.secretAccessKey ?? user?.secretAccessKey ?? '';
    const sameDay = request.headers['x-amz-date']?.startsWith(signature.date);
    if (!sameDay || signature.service !== service || !isSignedWith(secret, request, signature))
      return { refusal: 'SignatureDoesNotMatch' };
    const now = this.#clock.now();
    if (Math.abs(now - time) > MAX_AGE) return { refusal: 'SignatureExpired' };
    if (session && session.expiresAt <= now) return { refusal: 'ExpiredToken' };
    return { principal: session ? { session } : { user: user as User } };
  }
}
