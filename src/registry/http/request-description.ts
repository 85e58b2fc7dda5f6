import type { Redacted } from '../../common/redacted.ts';
import type { ErrorDialect } from './error-dialect.ts';

/** What error messages need to know about a request. */
export interface Inquiry {
  /** How the API that is asked words its errors. */
  dialect: ErrorDialect;
  /** What the request does, in messages: `create a token`. */
  purpose: string;
  url: URL;
  /** Whether success creates something: after a lost answer, it may exist. */
  creates: boolean;
  /** Whether the URL names one object, so that a 404 means that it does not exist. */
  names: boolean;
  /** Secrets in the request; no message may show them. */
  secrets: readonly Redacted[];
}
