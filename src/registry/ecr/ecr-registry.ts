import type { Capabilities, IssuedToken, IssueRequest, Place, Registry, Tools } from '../port.ts';
import { authorizationToken } from './authorization-token.ts';
import type { AwsIdentity } from './identity.ts';
import { partitionIdOf, regionOf } from './regions.ts';
import { sessionPolicy } from './session-policy.ts';
import type { SharedExchanges } from './shared-exchanges.ts';

export interface EcrRegistryOptions {
  place: Place;
  block: { registryId?: string | undefined; public?: boolean | undefined };
  /** The role that tokens are sessions of, with their duration in milliseconds; undefined: tokens have the account's own identity. */
  role: { roleArn: string; duration: number } | undefined;
  identity: AwsIdentity;
  exchanges: SharedExchanges;
  capabilities: Capabilities;
  tools: Tools;
}

/** An ECR registry: its tokens are exchanged for the account's credentials and expire by themselves. */
export class EcrRegistry implements Registry {
  readonly capabilities: Capabilities;
  readonly host: string;
  readonly #options: EcrRegistryOptions;

  constructor(options: EcrRegistryOptions) {
    this.capabilities = options.capabilities;
    this.host = options.place.host;
    this.#options = options;
  }

  /** Requests for the same access and scope share one token. */
  async issue({ tag, access, scope }: IssueRequest, signal: AbortSignal): Promise<IssuedToken> {
    const { place, role, exchanges, tools } = this.#options;
    signal.throwIfAborted();
    const names = [...new Set(scope)].sort();
    const policy = role && this.#policy(access, names);
    const key = JSON.stringify([place.region, place.endpoint, place.host, access, names]);
    return exchanges.give(
      key,
      tag,
      async (limited) => {
        const token = await this.#exchange(policy, limited);
        return { token, life: (token.expiresAt ?? 0) - tools.registryNow(place) };
      },
      signal,
    );
  }

  async #exchange(policy: string | undefined, signal: AbortSignal): Promise<IssuedToken> {
    const { place, block, role, identity, tools } = this.#options;
    const { guard } = tools;
    const purpose = { operation: 'exchange', guard } as const;
    let keys = await identity.keys(place, purpose, signal);
    if (role && policy !== undefined)
      keys = await identity.assume(place, keys, { ...role, policy }, purpose, signal);
    const source = {
      client: tools.client(place),
      endpoint: place.endpoint,
      region: regionOf(place),
      now: () => tools.registryNow(place),
      public: block.public ?? false,
      guard,
    };
    return authorizationToken(source, keys, signal);
  }

  #policy(access: IssueRequest['access'], scope: readonly string[]): string {
    const { place, block } = this.#options;
    const region = regionOf(place);
    const { registryId, public: isPublic = false } = block;
    return sessionPolicy(
      { partition: partitionIdOf(region), region, registryId, public: isPublic },
      access,
      scope,
    );
  }
}
