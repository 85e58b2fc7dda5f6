import { json, type Answer } from '../shared/message.ts';

const CODES: Readonly<Record<number, readonly [code: string, message: string]>> = {
  400: ['BAD_REQUEST', 'bad request'],
  401: ['UNAUTHORIZED', 'unauthorized'],
  403: ['FORBIDDEN', 'forbidden'],
  404: ['NOT_FOUND', 'not found'],
  405: ['METHOD_NOT_ALLOWED', 'method not allowed'],
  409: ['CONFLICT', 'conflict'],
  412: ['PRECONDITION', 'precondition failed'],
  422: ['UNPROCESSABLE_ENTITY', 'validation failure'],
  429: ['TOO_MANY_REQUESTS', 'too many requests'],
  500: ['UNKNOWN', 'internal server error'],
  503: ['UNKNOWN', 'internal server error'],
};

/** An error as Harbor's API words it. The text of those from 500 on is hidden. */
export function problem(status: number, message?: string, code?: string): Answer {
  const [usualCode, usual] = CODES[status] ?? ['UNKNOWN', 'unknown'];
  return json(status, { errors: [{ code: code ?? usualCode, message: message ?? usual }] });
}
