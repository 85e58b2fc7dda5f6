import { formatDuration, parseDuration } from '../../api/syntax/duration.ts';
import type { Reason } from '../../api/reasons.ts';
import { matchesSelector } from '../../api/syntax/label-selector.ts';
import { ACCOUNT_DEFAULTS, type RegistryAccount } from '../../api/registry-account.ts';
import type { Access, Lifetime, Place, TokenSpec } from '../../api/registry-token.ts';
import { rotationAsked } from './account-rotation.ts';
import { specHash } from './spec-hash.ts';

/** What a registry offers, as far as deciding needs it. */
export interface Offer {
  access: readonly Access[];
  lifetimes: readonly Lifetime[];
}

export interface Region {
  name: string;
  host: string;
  endpoint: string;
}

/** All that decides whether a RegistryToken may have the token it asks for. */
export interface Request {
  spec: TokenSpec;
  namespace: { name: string; labels: Readonly<Record<string, string>>; terminating: boolean };
  /** undefined: there is no such account. */
  account: RegistryAccount | undefined;
  offer: Offer;
  /** The account's regions by name or alias. */
  findRegion: (name: string) => Region | undefined;
  regionNames: readonly string[];
  /** The account at the registry; undefined: not known yet. */
  accountId: string | undefined;
}

/** The token to have: everything settled that the spec leaves to the account. */
export interface Wanted {
  account: string;
  region: string;
  host: string;
  /** Where it is issued; undefined while it is not known in which account. */
  place: Place | undefined;
  specHash: string;
  /** The rotation that the account asks of all its tokens; empty: none. */
  accountRotation: string;
}

export interface Refusal {
  reason: Reason;
  message: string;
}

type Policy = (request: Request & { account: RegistryAccount }) => Refusal | undefined;

/** In the order in which somebody would want to hear of it. */
const POLICIES: readonly Policy[] = [
  namespaceIsTerminating,
  namespaceIsNotSelected,
  regionIsUnknown,
  accessIsAboveLimit,
  lifetimeIsAboveLimit,
  accessIsNotOffered,
  lifetimeIsNotOffered,
];

/** Decides whether a RegistryToken may have what it asks for, and settles what exactly that is. */
export function examine(request: Request): { wanted: Wanted } | { refusal: Refusal } {
  const { account, spec, accountId } = request;
  if (account === undefined) {
    return {
      refusal: {
        reason: 'AccountNotFound',
        message: `RegistryAccount ${spec.account} does not exist; create it, or name another in spec.accountRef.name`,
      },
    };
  }
  for (const policy of POLICIES) {
    const refusal = policy({ ...request, account });
    if (refusal) return { refusal };
  }
  const region = request.findRegion(regionName(spec, account));
  if (!region) throw new Error('unreachable: a policy refuses unknown regions');
  const identity = {
    account: spec.account,
    region: region.name,
    access: spec.access,
    lifetime: spec.lifetime,
  };
  return {
    wanted: {
      account: spec.account,
      region: region.name,
      host: region.host,
      place: accountId === undefined ? undefined : { endpoint: region.endpoint, accountId },
      specHash: specHash(identity),
      accountRotation: rotationAsked(account),
    },
  };
}

function regionName(spec: TokenSpec, account: RegistryAccount): string {
  return spec.region ?? account.spec.defaultRegion ?? ACCOUNT_DEFAULTS.defaultRegion;
}

function namespaceIsTerminating({ namespace }: Request): Refusal | undefined {
  if (!namespace.terminating) return undefined;
  return {
    reason: 'NamespaceTerminating',
    message: `namespace ${namespace.name} is being deleted; nothing is created in it any more`,
  };
}

function namespaceIsNotSelected({ namespace, account, spec }: Parameters<Policy>[0]): Refusal | undefined {
  if (matchesSelector(account.spec.namespaceSelector ?? {}, namespace.labels)) return undefined;
  return {
    reason: 'NamespaceNotAllowed',
    message: `RegistryAccount ${spec.account} is not for namespace ${namespace.name}: its namespaceSelector does not match the namespace's labels`,
  };
}

function regionIsUnknown(request: Parameters<Policy>[0]): Refusal | undefined {
  const name = regionName(request.spec, request.account);
  if (request.findRegion(name)) return undefined;
  return {
    reason: 'RegionUnknown',
    message: `RegistryAccount ${request.spec.account} has no region ${name}; ${
      request.regionNames.length > 0
        ? `it has ${request.regionNames.join(', ')}`
        : 'it has none until spec.regions names one'
    }`,
  };
}

function accessIsAboveLimit({ spec, account }: Parameters<Policy>[0]): Refusal | undefined {
  const maximum = account.spec.limits?.maxAccess ?? ACCOUNT_DEFAULTS.maxAccess;
  if (spec.access === 'ReadOnly' || maximum === 'ReadWrite') return undefined;
  return {
    reason: 'AccessNotAllowed',
    message: `RegistryAccount ${spec.account} allows at most ${maximum}; spec.access asks for ${spec.access}`,
  };
}

function lifetimeIsAboveLimit({ spec, account }: Parameters<Policy>[0]): Refusal | undefined {
  const { allowNeverExpiring = true, maxLifetime } = account.spec.limits ?? {};
  if (spec.lifetime === 'Never') {
    if (allowNeverExpiring) return undefined;
    return {
      reason: 'LifetimeNotAllowed',
      message: `RegistryAccount ${spec.account} does not allow tokens that never expire; spec.lifetime asks for Never`,
    };
  }
  const maximum = maxLifetime === undefined ? Infinity : (parseDuration(maxLifetime) ?? 0);
  if (spec.lifetime <= maximum) return undefined;
  return {
    reason: 'LifetimeNotAllowed',
    message: `RegistryAccount ${spec.account} allows at most ${maxLifetime}; spec.lifetime asks for ${formatDuration(spec.lifetime)}`,
  };
}

/** Says so, if the limits of an account leave no lifetime of those that its registry offers: nobody could ever get a token. */
export function noLifetimeAllowed({ spec }: RegistryAccount, offer: Offer): Refusal | undefined {
  const { allowNeverExpiring = true, maxLifetime } = spec.limits ?? {};
  const maximum = maxLifetime === undefined ? Infinity : (parseDuration(maxLifetime) ?? 0);
  const allowed = offer.lifetimes.some((lifetime) =>
    lifetime === 'Never' ? allowNeverExpiring : lifetime <= maximum,
  );
  if (allowed) return undefined;
  return {
    reason: 'LifetimeNotOffered',
    message: `spec.limits allow no lifetime that ${spec.provider} offers, which are ${offer.lifetimes.map(showLifetime).join(' and ')}; raise maxLifetime or allow tokens that never expire`,
  };
}

function accessIsNotOffered({ spec, offer, account }: Parameters<Policy>[0]): Refusal | undefined {
  if (offer.access.includes(spec.access)) return undefined;
  return {
    reason: 'AccessNotAllowed',
    message: `${account.spec.provider} offers ${offer.access.join(', ')}; spec.access asks for ${spec.access}`,
  };
}

function lifetimeIsNotOffered({ spec, offer, account }: Parameters<Policy>[0]): Refusal | undefined {
  if (offer.lifetimes.includes(spec.lifetime)) return undefined;
  return {
    reason: 'LifetimeNotOffered',
    message: `${account.spec.provider} offers lifetimes ${offer.lifetimes.map(showLifetime).join(' and ')}; spec.lifetime asks for ${showLifetime(spec.lifetime)}`,
  };
}

const showLifetime = (lifetime: Lifetime): string =>
  lifetime === 'Never' ? lifetime : formatDuration(lifetime);
