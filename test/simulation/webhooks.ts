import { GROUP } from '../../src/api/names.ts';
import { PAYLOAD_KEY } from '../../src/token/secret/secret.ts';
import { asObject, asText, equal, type JsonObject } from '../../sandbox/apiserver/json.ts';
import { StatusError } from '../../sandbox/apiserver/status-error.ts';
import type { Admission } from '../../sandbox/apiserver/writer.ts';
import type { Dice } from './dice.ts';

const SECRETS = 'secrets';
const REGISTRY_TOKENS = `${GROUP}/registrytokens`;
/** Milliseconds that the API server waits for a webhook. */
const TIMEOUT = 10_000;
const EMPTY_PAYLOAD = Buffer.from('{"auths":{}}').toString('base64');

/** What a webhook makes of the message of each condition. */
export const REWORDED = 'ok';

/** What a webhook does to a write: refuses it, or changes what is stored. */
type Effect = (admission: Admission) => JsonObject;

const refuse =
  (code: number, reason: string, message: string): Effect =>
  () => {
    throw new StatusError(code, reason, message);
  };

const REFUSALS = {
  denies: refuse(403, 'Forbidden', 'admission webhook "policy.test" denied the request: not now'),
  fails: refuse(500, 'InternalError', 'Internal error occurred: failed calling webhook "policy.test": EOF'),
  'times out': refuse(
    500,
    'InternalError',
    'Internal error occurred: failed calling webhook "policy.test": context deadline exceeded',
  ),
} satisfies Record<string, Effect>;

const ON_SECRETS = {
  ...REFUSALS,
  'empties the payload of': ({ object }) => withPayload(object, EMPTY_PAYLOAD),
  'keeps the former payload of': ({ object, previous }) =>
    previous ? withPayload(object, asText(asObject(previous.data)[PAYLOAD_KEY])) : object,
  'adds a host to': ({ object }) => withPayload(object, withHost(asText(asObject(object.data)[PAYLOAD_KEY]))),
  labels: ({ object }) => withMetadata(object, 'labels', { 'policy.test/seen': 'true' }),
  annotates: ({ object }) => withMetadata(object, 'annotations', { 'policy.test/seen': 'true' }),
} satisfies Record<string, Effect>;

const ON_STATUS = {
  ...REFUSALS,
  'rewords conditions of': ({ object }) => {
    const status = asObject(object.status);
    const conditions = (status.conditions ?? []) as JsonObject[];
    return conditions.length === 0
      ? object
      : {
          ...object,
          status: { ...status, conditions: conditions.map((each) => ({ ...each, message: REWORDED })) },
        };
  },
} satisfies Record<string, Effect>;

interface Registered {
  /** Secrets, or the status of RegistryTokens. */
  collection: typeof SECRETS | typeof REGISTRY_TOKENS;
  namespace: string;
  deed: string;
  effect: Effect;
}

/** The admission webhooks of a cluster: one at a time, for the Secrets or the status of RegistryTokens of a namespace. */
export class Webhooks {
  #registered: Registered | undefined;
  /** Whether the payload of the write that was admitted last was changed. */
  altersPayload = false;

  get isActive(): boolean {
    return this.#registered !== undefined;
  }

  /** @returns what it does, in words */
  register(dice: Dice, namespaces: readonly string[]): string {
    const namespace = dice.pick(namespaces);
    const onSecrets = dice.chance(0.7);
    const [deed, effect] = dice.pick<[string, Effect]>(Object.entries(onSecrets ? ON_SECRETS : ON_STATUS));
    const collection = onSecrets ? SECRETS : REGISTRY_TOKENS;
    this.#registered = { collection, namespace, deed, effect };
    return `a webhook ${deed} ${onSecrets ? 'Secrets' : 'the status of RegistryTokens'} in ${namespace}`;
  }

  clear(): void {
    this.#registered = undefined;
  }

  /** Milliseconds for which the write of a request is held up. */
  delayOf({ method, path }: { method: string; path: string }): number {
    if (this.#registered?.deed !== 'times out' || method === 'GET' || method === 'DELETE') return 0;
    const { collection, namespace } = this.#registered;
    const isConcerned =
      collection === SECRETS
        ? path.includes(`/namespaces/${namespace}/secrets`)
        : path.includes(`/namespaces/${namespace}/registrytokens/`) && path.endsWith('/status');
    return isConcerned ? TIMEOUT : 0;
  }

  /** As the API server calls webhooks. @throws StatusError when the write is refused */
  admit(admission: Admission): JsonObject {
    this.altersPayload = false;
    const { collection, object, subresource } = admission;
    const registered = this.#registered;
    if (
      registered?.collection !== collection ||
      registered.namespace !== asObject(object.metadata).namespace ||
      (collection === REGISTRY_TOKENS && subresource !== 'status')
    )
      return object;
    const admitted = registered.effect(admission);
    this.altersPayload = collection === SECRETS && !equal(admitted.data, object.data);
    return admitted;
  }
}

function withPayload(secret: JsonObject, payload: string): JsonObject {
  return { ...secret, data: { ...asObject(secret.data), [PAYLOAD_KEY]: payload } };
}

/** The payload with credentials for another registry after those that it has. */
function withHost(payload: string): string {
  const { auths } = JSON.parse(Buffer.from(payload, 'base64').toString()) as { auths?: object };
  const more = { auths: { ...auths, 'policy.test': { auth: 'cG9saWN5OnBvbGljeQ==' } } };
  return Buffer.from(JSON.stringify(more)).toString('base64');
}

function withMetadata(object: JsonObject, key: 'labels' | 'annotations', more: JsonObject): JsonObject {
  const metadata = asObject(object.metadata);
  return { ...object, metadata: { ...metadata, [key]: { ...asObject(metadata[key]), ...more } } };
}
