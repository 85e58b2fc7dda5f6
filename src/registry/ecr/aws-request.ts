import type { Redacted } from '../../common/redacted.ts';
import { systemClock } from '../../common/clock.ts';
import { RegistryError } from '../errors.ts';
import type { HttpAnswer } from '../http/answer.ts';
import type { PlaceClient, PlaceRequest } from '../http/place-client.ts';
import { urlBelow } from '../http/registry-client.ts';
import { AWS_DIALECT } from './dialect.ts';

/** One of AWS's services in a region. */
export interface AwsService {
  client: PlaceClient;
  /** Base URL. */
  endpoint: string;
  /** As AWS calls it. */
  region: string;
  /** Milliseconds since 1970 by the service's clock. */
  now: () => number;
}

/** A request, as described in metrics and messages. */
export type AwsInquiry = Pick<PlaceRequest, 'operation' | 'purpose' | 'guard'> & {
  /** Secrets in the request; no message may show them. */
  secrets: readonly Redacted[];
};

/** The request as the SDK wrote it. */
interface SdkRequest {
  method: string;
  headers: Record<string, string>;
  body?: unknown;
}

/** The answer for the SDK to read. */
interface SdkResponse {
  statusCode: number;
  headers: Record<string, string>;
  body: Uint8Array;
}

/** Settings for a client of the SDK, which then reads none of its own from the environment and from files. */
export interface SdkSettings {
  region: string;
  endpoint: string;
  maxAttempts: 1;
  retryMode: 'standard';
  defaultsMode: 'standard';
  useDualstackEndpoint: false;
  useFipsEndpoint: false;
  authSchemePreference: string[];
  defaultUserAgentProvider: () => Promise<[string, string][]>;
  userAgentAppId: () => Promise<undefined>;
  /** Milliseconds that the service's clock is ahead of this machine's. */
  systemClockOffset: number;
  requestHandler: {
    handle: (request: SdkRequest) => Promise<{ response: SdkResponse }>;
  };
}

/** Set by the connection. */
const OWN_HEADERS: ReadonlySet<string> = new Set(['host', 'user-agent']);

/**
 * One request to AWS. The SDK writes, signs and reads it; it is sent as requests to all registries are: under the place's rate
 * limit, through its breaker and the proxy, with the same timeout, and refusals have the same messages.
 * @param send gives the command to a client of the SDK with these settings, for this one request
 * @throws RegistryError, the signal's reason, or what the guard throws
 */
export async function askAws<T>(
  { client, endpoint, region, now }: AwsService,
  inquiry: AwsInquiry,
  send: (settings: SdkSettings) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  // The error is kept away from the SDK, which changes errors.
  let failure: { reason: unknown } | undefined;
  let sent = false;
  const url = urlBelow(endpoint, '/');
  const handle = ({ method, headers, body }: SdkRequest): Promise<{ response: SdkResponse }> => {
    sent = true;
    const request: PlaceRequest = {
      ...inquiry,
      // A second credential does no harm, and one whose answer was lost can't be used.
      creates: false,
      names: false,
      dialect: AWS_DIALECT,
      method: method === 'POST' ? method : 'GET',
      url,
      headers: Object.fromEntries(
        Object.entries(headers).filter(([name]) => !OWN_HEADERS.has(name.toLowerCase())),
      ),
      body: typeof body === 'string' ? body : new TextDecoder().decode(body as Uint8Array | undefined),
    };
    return client.ask(request, readable, 'has no valid form', signal).then(
      (response) => ({ response }),
      (reason: unknown) => {
        failure = { reason };
        throw new Error('the request failed');
      },
    );
  };
  try {
    return await send({
      region,
      endpoint,
      maxAttempts: 1,
      retryMode: 'standard',
      defaultsMode: 'standard',
      useDualstackEndpoint: false,
      useFipsEndpoint: false,
      authSchemePreference: [],
      defaultUserAgentProvider: () => Promise.resolve([]),
      userAgentAppId: () => Promise.resolve(undefined),
      systemClockOffset: now() - systemClock.now(),
      requestHandler: { handle },
    });
  } catch (error) {
    if (failure) throw failure.reason;
    // The SDK's message can quote the answer; only the kind of error is safe for a message.
    const { code, name } = error as { code?: unknown; name?: string };
    const kind = typeof code === 'string' ? code : name;
    const what = sent ? 'the answer has no valid form' : 'the request could not be made';
    throw new RegistryError('Unavailable', `could not ${inquiry.purpose} at ${url.host}: ${what} (${kind})`);
  }
}

const WHOLE_XML = /^\s*(?:<\?xml[^>]*>\s*)?<(\w+Response)\b.*<\/\1>\s*$/s;

/** The answer for the SDK to read, unless its body can't be whole. */
function readable({ status, headers, body, flaw }: HttpAnswer): SdkResponse | undefined {
  const whole = flaw === undefined || (flaw === 'is HTML' && WHOLE_XML.test(body.toString()));
  return whole ? { statusCode: status, headers: { ...headers }, body } : undefined;
}
