import type { RegistryAccount } from '../../api/registry-account.ts';
import { accountName, type RegistryToken } from '../../api/registry-token.ts';
import { REGISTRY_ACCOUNTS } from '../../api/resources.ts';
import type { KubeObject } from '../../common/objects.ts';
import { EVENTS, PODS, SECRETS, SERVICE_ACCOUNTS } from '../../kube/client/resources.ts';
import { wantedSecret } from '../../token/secret/claimants.ts';
import type { Secret } from '../../token/secret/secret.ts';
import type { Pod } from '../../token/workloads/pods.ts';
import type { ServiceAccount } from '../../token/workloads/service-accounts.ts';
import type { Context } from '../context.ts';
import { found, see, type Seen } from '../seen.ts';

/** What matters here of an Event of events.k8s.io/v1. */
export interface Event extends KubeObject {
  eventTime?: string | null;
  deprecatedLastTimestamp?: string | null;
  series?: { count: number; lastObservedTime: string } | null;
  type?: string;
  reason?: string;
  note?: string;
}

/** A RegistryToken, and all around it that tells how it is. Undefined within `value`: there is none. */
export interface Observation {
  token: RegistryToken;
  account: Seen<RegistryAccount | undefined>;
  secret: Seen<Secret | undefined>;
  serviceAccounts: Seen<readonly ServiceAccount[]>;
  pods: Seen<readonly Pod[]>;
  events: Seen<readonly Event[]>;
}

/** Looks around RegistryTokens. What several of them share is read once. */
export class Observer {
  readonly #context: Context;
  readonly #shared = new Map<string, Promise<Seen<unknown>>>();

  constructor(context: Context) {
    this.#context = context;
  }

  async observe(token: RegistryToken): Promise<Observation> {
    const { client, signal } = this.#context;
    const { namespace = '', name, uid } = token.metadata;
    const account = accountName(token.spec);
    const fieldSelector = `regarding.kind=RegistryToken,regarding.name=${name},regarding.uid=${uid}`;
    const [seenAccount, secret, serviceAccounts, pods, events] = await Promise.all([
      this.#once(`account ${account}`, () =>
        found(client.get<RegistryAccount>(REGISTRY_ACCOUNTS, { name: account }, { signal })),
      ),
      see(
        found(client.get<Secret & KubeObject>(SECRETS, { namespace, name: wantedSecret(token) }, { signal })),
      ),
      this.#once(`serviceaccounts ${namespace}`, () =>
        client.listAll<ServiceAccount>(SERVICE_ACCOUNTS, { namespace, signal }),
      ),
      this.#once(`pods ${namespace}`, () => client.listAll<Pod>(PODS, { namespace, signal })),
      see(client.listAll<Event>(EVENTS, { namespace, fieldSelector, signal })),
    ]);
    return { token, account: seenAccount, secret, serviceAccounts, pods, events };
  }

  #once<T>(key: string, read: () => Promise<T>): Promise<Seen<T>> {
    const known = this.#shared.get(key) as Promise<Seen<T>> | undefined;
    if (known) return known;
    const reading = see(read());
    this.#shared.set(key, reading);
    return reading;
  }
}
