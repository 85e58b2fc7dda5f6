import { STATUS_CODES } from 'node:http';
import { json, text, type Answer } from '../shared/message.ts';
import { distributionProblems } from '../shared/distribution-problems.ts';
import type { Identifiers } from '../shared/identifiers.ts';

export interface RegistryProblem {
  code: string;
  message: string;
}

export const REGISTRY_UNAUTHORIZED: RegistryProblem = {
  code: 'CRG0009E',
  message: 'You are not authorized to access the specified account.',
};

/** Documented codes and texts. Which status CRG0014E comes with is not on record: 503 is how clients then understood 503. */
const REGISTRY_PROBLEMS: Readonly<Record<number, RegistryProblem>> = {
  401: REGISTRY_UNAUTHORIZED,
  403: { code: 'CRG0020E', message: 'You are not authorized to access the specified resource.' },
  410: {
    code: 'CRT0002E',
    message:
      'The creation of registry tokens is discontinued. For more information about how to use API keys to automate access ' +
      'to your namespaces, see: https://cloud.ibm.com/docs/services/Registry?topic=registry-registry_access',
  },
  503: {
    code: 'CRG0014E',
    message:
      'An error occurred when authenticating your request with IBM Cloud. ' +
      'Clear your browser cookies, log in to IBM Cloud, and try your request again.',
  },
};

/** Shape on record, codes not: the registry's own answers to these were never published. */
export const REGISTRY_NOT_FOUND: RegistryProblem = {
  code: 'CRT0404E',
  message: 'The specified registry token could not be found.',
};
export const REGISTRY_INVALID = (message: string): RegistryProblem => ({ code: 'CRT0400E', message });

export interface IamProblem {
  errorCode: string;
  errorMessage: string;
  errorDetails: string;
}

export const IAM_UNKNOWN_KEY: IamProblem = {
  errorCode: 'BXNIM0415E',
  errorMessage: 'Provided API key could not be found.',
  errorDetails: 'Provided API key could not be found.',
};

const IAM_PROBLEMS: Readonly<Record<number, IamProblem>> = {
  400: IAM_UNKNOWN_KEY,
  405: {
    errorCode: 'BXNIM0060E',
    errorMessage: "Web application exception 'javax.ws.rs.ClientErrorException' during request processing.",
    errorDetails: 'HTTP 405 Method Not Allowed',
  },
};

/** Errors as the real services word them. */
export class Problems {
  readonly #identifiers: Identifiers;
  readonly #now: () => number;

  constructor(identifiers: Identifiers, now: () => number) {
    this.#identifiers = identifiers;
    this.#now = now;
  }

  /** The token API's answer of a status; where none is documented, the plain text of a gateway in front of it. */
  readonly registryByStatus = (status: number): Answer => {
    if (status === 500) return text(500, 'Internal Error');
    const problem = REGISTRY_PROBLEMS[status];
    return problem ? this.registry(status, problem) : gateway(status);
  };

  /** IAM's answer of a status, likewise. */
  readonly iamByStatus = (status: number): Answer => {
    const problem = IAM_PROBLEMS[status];
    return problem ? this.iam(status, problem) : gateway(status);
  };

  /** The registry's own answer of a status, likewise. */
  readonly distributionByStatus = distributionProblems({
    401: 'Authorization required. See https://cloud.ibm.com/docs/Registry?topic=Registry-troubleshoot-auth-req',
  });

  registry(status: number, problem: RegistryProblem): Answer {
    return json(status, { ...problem, 'request-id': this.#identifiers.registryRequest() });
  }

  iam(status: number, problem: IamProblem): Answer {
    const requestId = this.#identifiers.transaction();
    const time = iamTime(this.#now());
    const context = {
      requestId,
      requestType: 'incoming.Identity_Token',
      url: 'https://iam.cloud.ibm.com',
      instanceId: 'sandbox',
      threadId: '1',
      host: 'sandbox',
      startTime: time,
      endTime: time,
      elapsedTime: '0',
      locale: 'en_US',
      clusterName: 'sandbox',
    };
    return json(status, { context, ...problem }, { 'transaction-id': requestId });
  }
}

function gateway(status: number): Answer {
  return text(status, STATUS_CODES[status] ?? `Status ${status}`);
}

/** As IAM writes times: `26.12.2024 17:23:26:340 UTC`. */
function iamTime(milliseconds: number): string {
  const [date = '', time = ''] = new Date(milliseconds).toISOString().slice(0, -1).split('T');
  return `${date.split('-').toReversed().join('.')} ${time.replace('.', ':')} UTC`;
}
