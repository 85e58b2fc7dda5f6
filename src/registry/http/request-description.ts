import type { Redacted } from '../../common/redacted.ts';
import type { ErrorDialect } from './error-dialect.ts';

/** What errors need to know of a request. */
export interface Inquiry {
  /** How the API that is asked words its errors. */
  dialect: ErrorDialect;
  /** What is asked, as it stands in messages: `create a token`. */
  purpose: string;
  url: URL;
  /** Whether success leaves something behind, so that a lost answer leaves open whether there is one now. */
  creates: boolean;
  /** Whether the URL names one thing, so that a 404 says that it is not there. */
  names: boolean;
  /** What the request holds that no message may. */
  secrets: readonly Redacted[];
}
