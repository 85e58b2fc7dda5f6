import { json, type Answer } from '../shared/message.ts';

/** How AWS answers where others would answer with a status: many refusals are a 400. */
const JSON_PROBLEMS: Readonly<Record<number, readonly [status: number, type: string, message: string]>> = {
  400: [400, 'InvalidParameterException', 'Invalid parameter'],
  401: [400, 'UnrecognizedClientException', 'The security token included in the request is invalid.'],
  403: [400, 'AccessDeniedException', 'User is not authorized to perform: ecr:GetAuthorizationToken'],
  404: [404, 'UnknownOperationException', ''],
  405: [404, 'UnknownOperationException', ''],
  429: [400, 'ThrottlingException', 'Rate exceeded'],
  500: [500, 'ServerException', 'Server error'],
  503: [503, 'ServiceUnavailableException', 'Service is unavailable'],
};
const XML_PROBLEMS: Readonly<Record<number, readonly [status: number, code: string, message: string]>> = {
  400: [400, 'ValidationError', 'Invalid request'],
  401: [403, 'InvalidClientTokenId', 'The security token included in the request is invalid.'],
  403: [403, 'AccessDenied', 'User is not authorized to perform: sts:AssumeRole'],
  404: [400, 'InvalidAction', 'Could not find operation'],
  405: [400, 'InvalidAction', 'Could not find operation'],
  429: [400, 'Throttling', 'Rate exceeded'],
  500: [500, 'InternalFailure', 'Internal failure'],
  503: [503, 'ServiceUnavailable', 'Service unavailable'],
};
const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';
const JSON_TYPE = 'application/x-amz-json-1.1';

/** Answers in the forms of AWS's two protocols. */
export class AwsAnswers {
  readonly #newId: () => string;

  constructor(newId: () => string) {
    this.#newId = newId;
  }

  json(body: object): Answer {
    return json(200, body, { 'content-type': JSON_TYPE, 'x-amzn-requestid': this.#newId() });
  }

  /** @param content of the element that is named after the action's result */
  xml(action: string, content: string): Answer {
    const id = this.#newId();
    const result = `<${action}Result>${content}</${action}Result>`;
    const metadata = `<ResponseMetadata><RequestId>${id}</RequestId></ResponseMetadata>`;
    const body = `<${action}Response xmlns="${NAMESPACE}">\n  ${result}\n  ${metadata}\n</${action}Response>\n`;
    return { status: 200, headers: { 'content-type': 'text/xml', 'x-amzn-requestid': id }, body };
  }

  jsonProblem(status: number, type: string, message: string): Answer {
    const headers = { 'content-type': JSON_TYPE, 'x-amzn-requestid': this.#newId() };
    return json(status, { __type: type, message }, headers);
  }

  xmlProblem(status: number, code: string, message: string): Answer {
    const id = this.#newId();
    const error = [
      `<Type>${status < 500 ? 'Sender' : 'Receiver'}</Type>`,
      `<Code>${code}</Code>`,
      `<Message>${escaped(message)}</Message>`,
    ];
    const body = `<ErrorResponse xmlns="${NAMESPACE}">\n  <Error>${error.join('')}</Error>\n  <RequestId>${id}</RequestId>\n</ErrorResponse>\n`;
    return { status, headers: { 'content-type': 'text/xml', 'x-amzn-requestid': id }, body };
  }

  /** What ECR answers where others would answer with a status. */
  readonly jsonByStatus = (status: number): Answer =>
    this.jsonProblem(...(JSON_PROBLEMS[status] ?? [status, 'InternalFailure', `Status ${status}`]));

  /** What STS answers where others would answer with a status. */
  readonly xmlByStatus = (status: number): Answer =>
    this.xmlProblem(...(XML_PROBLEMS[status] ?? [status, 'InternalFailure', `Status ${status}`]));
}

export function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
