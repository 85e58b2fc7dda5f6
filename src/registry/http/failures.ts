import type { NoAnswer } from './answer-reader.ts';
import { classify } from './classification.ts';
import { RegistryError, type RegistryErrorCode, type RegistryErrorDetails } from '../errors.ts';
import type { HttpAnswer } from './answer.ts';
import type { Inquiry } from './request-description.ts';
import { quote } from './quote.ts';

const MAX_ID = 128;

/** What the reader can do; empty where the operator retries by itself. */
const ADVICE: Readonly<Record<RegistryErrorCode, string>> = {
  Unauthorized: 'check the credentials Secret of the account',
  Forbidden: 'check what the credentials of the account may do',
  NotFound: 'it was deleted, or never was in this account and region',
  Conflict: '',
  QuotaExceeded: 'delete what is not needed or raise the quota',
  RateLimited: '',
  Discontinued: 'this registry creates no tokens any more; use an endpoint that does',
  InvalidRequest: 'check the endpoints and the settings of the account',
  Unavailable: '',
  Ambiguous: 'the operator will find out whether it happened before it retries',
};

/** The error for a request that got no status at all. */
export function unanswered(inquiry: Inquiry, failure: NoAnswer): RegistryError {
  const code = failure.sent && inquiry.creates ? 'Ambiguous' : 'Unavailable';
  const what = failure.sent ? 'did not answer' : 'could not be reached';
  const heard = `the server ${what} (${failure.message})`;
  return new RegistryError(code, sentence(inquiry, heard, adviceOn(inquiry, code)), { heard });
}

/** The error for an answer outside 2xx. */
export function refusal(inquiry: Inquiry, answer: HttpAnswer): RegistryError {
  const { secrets, dialect } = inquiry;
  const problem = dialect.read(answer.json, answer);
  const code = classify(answer, problem, inquiry);
  const registryCode = problem?.code && quote(problem.code, secrets, MAX_ID);
  const said = problem?.message && `"${quote(problem.message, secrets)}"`;
  const details = detailsOf(inquiry, answer, problem?.requestId);
  const answered = ['the server answered', answer.status, registryCode, said, redirection(answer, inquiry)];
  const heard = answered.filter(Boolean).join(' ');
  const advice = dialect.adviceByProblem?.[problem?.code ?? ''] ?? adviceOn(inquiry, code);
  return new RegistryError(code, sentence(inquiry, heard + named(details), advice), {
    ...details,
    registryCode,
    heard,
  });
}

/**
 * The error for a success whose body can't be used.
 * @param flaw completes a sentence that begins with "the answer"
 */
export function unreadable(inquiry: Inquiry, answer: HttpAnswer, flaw: string): RegistryError {
  const code = inquiry.creates ? 'Ambiguous' : 'Unavailable';
  const details = detailsOf(inquiry, answer, undefined);
  const heard = `the server answered ${answer.status}, but the answer ${flaw}`;
  return new RegistryError(code, sentence(inquiry, heard + named(details), adviceOn(inquiry, code)), {
    ...details,
    heard,
  });
}

function adviceOn({ dialect }: Inquiry, code: RegistryErrorCode): string {
  return dialect.advice?.[code] ?? ADVICE[code];
}

function sentence({ purpose, url }: Inquiry, heard: string, advice: string): string {
  return `could not ${purpose} at ${url.host}: ${heard}${advice === '' ? '' : `; ${advice}`}`;
}

function detailsOf(
  { secrets }: Inquiry,
  { requestId, status, retryAfter, serverTime }: HttpAnswer,
  idInBody: string | undefined,
): RegistryErrorDetails {
  const id = idInBody ?? requestId;
  return { requestId: id && quote(id, secrets, MAX_ID), status, retryAfter, serverTime };
}

function named({ requestId }: RegistryErrorDetails): string {
  return requestId === undefined ? '' : ` (request ${requestId})`;
}

/** Where a redirect leads, without the path and query, which could hold anything. */
function redirection({ status, headers }: HttpAnswer, { url, secrets }: Inquiry): string {
  if (status < 300 || status >= 400) return '';
  const target = headers.location === undefined ? null : URL.parse(headers.location, url.href);
  return `(a redirect to ${target?.host ? quote(target.host, secrets) : 'nowhere'}, which is not followed)`;
}
