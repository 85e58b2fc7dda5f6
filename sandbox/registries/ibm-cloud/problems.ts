import { STATUS_CODES } from 'node:http';
import { json, text, type Answer } from '../shared/message.ts';

/** Errors of IAM, in the two shapes that its APIs have, each with a `Transaction-Id`. */
export class IamProblems {
  readonly #newId: () => string;

  constructor(newId: () => string) {
    this.#newId = newId;
  }

  /** As `/identity/token` words errors. */
  login(status: number, errorCode: string, errorMessage: string): Answer {
    const requestId = this.#newId();
    return json(
      status,
      {
        errorCode,
        errorMessage,
        errorDetails: errorMessage,
        context: { requestId, requestType: 'incoming.Identity_Token' },
      },
      { 'transaction-id': requestId },
    );
  }

  /** As the APIs of identities and policies word errors. */
  api(status: number, code: string, message: string, more: object = {}, messageCode?: string): Answer {
    const trace = this.#newId();
    const error = { code, ...(messageCode !== undefined && { message_code: messageCode }), message, ...more };
    return json(status, { trace, errors: [error], status_code: status }, { 'transaction-id': trace });
  }

  readonly loginByStatus = (status: number): Answer => {
    if (status === 400) return this.login(400, 'BXNIM0415E', 'Provided API key could not be found.');
    return text(status, STATUS_CODES[status] ?? `Status ${status}`);
  };

  readonly apiByStatus = (status: number): Answer => {
    switch (status) {
      case 401:
        return this.api(401, 'invalid_token', 'The provided IAM token is invalid or expired.');
      case 403:
        return this.api(403, 'forbidden', 'You are not authorized to use this API.', {}, 'BXNIM0513E');
      case 404:
        return this.notFound('object');
      case 422:
        return this.api(422, 'limit_reached', 'The limit of supported API keys is reached', {}, 'BXNIM0151E');
      case 429:
        return this.api(429, 'too_many_requests', 'Too many requests.');
      default:
        return text(status, STATUS_CODES[status] ?? `Status ${status}`);
    }
  };

  notFound(what: string): Answer {
    return this.api(
      404,
      'not_found',
      'Unable to find object',
      { details: `Object type: ${what}` },
      'BXNIM0102E',
    );
  }

  missing(property: string): Answer {
    const details = `Property '${property}' either missing or empty.`;
    return this.api(400, 'required', 'Property missing or empty.', { details }, 'BXNIM0109E');
  }
}
