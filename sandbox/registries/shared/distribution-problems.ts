import { STATUS_CODES } from 'node:http';
import { json, text, type Answer } from './message.ts';

/** Codes and texts of CNCF Distribution's registry/api/errcode. */
const PROBLEMS: Readonly<Record<number, { code: string; message: string }>> = {
  401: { code: 'UNAUTHORIZED', message: 'authentication required' },
  403: { code: 'DENIED', message: 'requested access to the resource is denied' },
  405: { code: 'UNSUPPORTED', message: 'The operation is unsupported.' },
  429: { code: 'TOOMANYREQUESTS', message: 'too many requests' },
  503: { code: 'UNAVAILABLE', message: 'service unavailable' },
};

/**
 * The errors of a registry as it words them; where none is documented, the plain text of a gateway in front of it.
 * @param texts in place of Distribution's own, by status
 */
export function distributionProblems(
  texts: Readonly<Record<number, string>> = {},
): (status: number) => Answer {
  return (status) => {
    const problem = PROBLEMS[status];
    if (!problem) return text(status, STATUS_CODES[status] ?? `Status ${status}`);
    return json(status, { errors: [{ ...problem, message: texts[status] ?? problem.message }] });
  };
}
