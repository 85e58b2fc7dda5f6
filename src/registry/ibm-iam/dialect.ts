import type { RegistryErrorCode } from '../errors.ts';
import type { ErrorDialect } from '../http/error-dialect.ts';
import { fields, text, type Problem } from '../http/problem.ts';

/** Codes with another meaning than their status: IAM answers an unknown key with 400, where others answer 401. */
const BY_CODE: Readonly<Record<string, RegistryErrorCode>> = {
  BXNIM0407E: 'Unauthorized',
  BXNIM0408E: 'Unauthorized',
  BXNIM0415E: 'Unauthorized',
  BXNIM0151E: 'QuotaExceeded',
  CRT0002E: 'Discontinued',
};

/** The errors of IBM Cloud's services. */
export const IBM_DIALECT: ErrorDialect = {
  read: readProblem,
  classify: (status, problem) =>
    status < 500 && status !== 404 && status !== 408 && Object.hasOwn(BY_CODE, problem?.code ?? '')
      ? BY_CODE[problem?.code ?? '']
      : undefined,
  adviceByProblem: { BXNIM0415E: 'the API key was not found: correct the credentials Secret' },
  advice: {
    Unauthorized:
      'check that the API key in the credentials Secret is valid and belongs to the account in use',
    Forbidden:
      "check that the API key's owner has the platform role Administrator on the container registry and, for service IDs and API keys, Operator on the IAM Identity service",
  },
};

/**
 * Reads the error bodies of IBM's services; undefined when a body is none of them. The shapes:
 * - registry: `{code, message, "request-id"}`
 * - registry, Docker V2: `{errors: [{code, message}]}`
 * - IAM token: `{context: {requestId}, errorCode, errorMessage}`
 * - IAM identity: `{context: {transaction_id}, errors: [{code, message_code, message}], trace}`
 * - IAM policy: `{errors: [{code, message}], trace}`
 *
 * Other fields are left out: details quote requests, and `conflicts_with` holds whole policies.
 */
export function readProblem(body: unknown): Problem | undefined {
  const top = fields(body);
  const first = Array.isArray(top.errors) ? fields(top.errors[0]) : {};
  const context = fields(top.context);
  const code = text(top.code) ?? text(top.errorCode) ?? text(first.message_code) ?? text(first.code);
  const message = text(top.message) ?? text(top.errorMessage) ?? text(first.message);
  if (code === undefined && message === undefined) return undefined;
  const requestId =
    text(top['request-id']) ?? text(context.requestId) ?? text(top.trace) ?? text(context.transaction_id);
  return { code, message, requestId };
}
