import type { Capabilities } from '../../api/capabilities.ts';
import { formatDuration } from '../../api/syntax/duration.ts';
import type { Reason } from '../../api/reasons.ts';
import { firstOf } from '../../api/syntax/text.ts';
import { matchesSelector } from '../../api/syntax/label-selector.ts';
import { ACCOUNT_DEFAULTS, type RegistryAccount } from '../../api/registry-account.ts';
import type { Lifetime, Place, TokenSpec } from '../../api/registry-token.ts';
import { rotationAsked } from './account-rotation.ts';
import { allowsAnyLifetime, describeLifetimes, lifetimeLimits, settleLifetime } from './lifetimes.ts';
import { describePattern, forbiddenName, isPastNamespace, namespaceIn } from './scope.ts';
import { specHash } from './spec-hash.ts';

/** Where an account issues tokens; the region is empty where its registry has none. */
export interface Region {
  region: string;
  host: string;
  endpoint: string;
}

/** The registry of an account, as far as deciding needs it. */
export interface Offer {
  /** The back end. */
  name: string;
  /** In messages. */
  title: string;
  capabilities: Capabilities;
  places: {
    defaultRegion: string | undefined;
    all: readonly Region[];
    /** @param region a name or an alias */
    resolve(region: string | undefined): Region | undefined;
  };
}

/** All that decides whether a RegistryToken may have the token it asks for. */
export interface Request {
  spec: TokenSpec;
  namespace: { name: string; labels: Readonly<Record<string, string>>; terminating: boolean };
  /** undefined: there is no such account. */
  account: RegistryAccount | undefined;
  /** undefined: it names no registry. */
  offer: Offer | undefined;
  /** Whose the account's credentials are at the registry; undefined: not known yet. */
  identity: string | undefined;
}

/** The token to have: everything settled that the spec leaves to the account. */
export interface Wanted {
  account: string;
  region: string;
  host: string;
  /** Where it is issued; undefined while it is not known in which account. */
  place: Place | undefined;
  scope: readonly string[];
  /** How long a token is in use at the most. */
  lifetime: Lifetime;
  /** How long it lives at the registry, where that is longer. */
  given: Lifetime;
  specHash: string;
  /** Whether a token is created there, or there is nothing to look after. */
  issue: Capabilities['issue'];
  /** Milliseconds that a new token may be refused by the registry, and be missing from its lists. */
  settling: Capabilities['settling'];
  /** The rotation that the account asks of all its tokens; empty: none. */
  accountRotation: string;
}

export interface Refusal {
  reason: Reason;
  message: string;
}

type Settled = Request & {
  account: RegistryAccount;
  offer: Offer;
  lifetime: ReturnType<typeof settleLifetime>;
};
type Policy = (request: Settled) => Refusal | undefined;

/** In the order in which somebody would want to hear of it. */
const POLICIES: readonly Policy[] = [
  namespaceIsTerminating,
  namespaceIsNotSelected,
  regionIsUnknown,
  accessIsAboveLimit,
  accessIsNotOffered,
  noLifetimeIsAllowed,
  lifetimeIsNotToBeHad,
  renewalIsTooEarly,
  scopeIsNotOffered,
  scopeIsPastNamespace,
  scopeIsNotAllowed,
];

/** Decides whether a RegistryToken may have what it asks for, and settles what exactly that is. */
export function examine(request: Request): { wanted: Wanted } | { refusal: Refusal } {
  const { account, offer, spec, identity } = request;
  if (account === undefined) {
    return {
      refusal: {
        reason: 'AccountNotFound',
        message: `RegistryAccount ${spec.account} does not exist; create it, or name another in spec.accountRef.name`,
      },
    };
  }
  if (!offer)
    return {
      refusal: { reason: 'AccountNotReady', message: `RegistryAccount ${spec.account} names no registry` },
    };
  const lifetime = settleLifetime(spec.lifetime, offer.capabilities.lifetimes, lifetimeLimits(account.spec));
  const settled = { ...request, account, offer, lifetime };
  for (const policy of POLICIES) {
    const refusal = policy(settled);
    if (refusal) return { refusal };
  }
  const region = regionOf(settled);
  if (!region || 'problem' in lifetime) throw new Error('unreachable: a policy refuses these');
  const { inUse, given } = lifetime;
  const { access, scope } = spec;
  return {
    wanted: {
      account: spec.account,
      region: region.region,
      host: region.host,
      place:
        identity === undefined ? undefined : { endpoint: region.endpoint, identity, provider: offer.name },
      scope,
      lifetime: inUse,
      given,
      specHash: specHash({ account: spec.account, region: region.region, access, lifetime: inUse, scope }),
      issue: offer.capabilities.issue,
      settling: offer.capabilities.settling,
      accountRotation: rotationAsked(account),
    },
  };
}

/** The name of the region that is asked for; undefined where there are no regions, and none is named. */
function regionName({ spec, account, offer }: Settled): string | undefined {
  return spec.region ?? (account.spec.defaultRegion || offer.places.defaultRegion);
}

function regionOf(settled: Settled): Region | undefined {
  const { places } = settled.offer;
  // What an account says of regions means nothing to a registry without them; what a RegistryToken asks for is never ignored.
  return places.resolve(places.defaultRegion === undefined ? settled.spec.region : regionName(settled));
}

function namespaceIsTerminating({ namespace }: Request): Refusal | undefined {
  if (!namespace.terminating) return undefined;
  return {
    reason: 'NamespaceTerminating',
    message: `namespace ${namespace.name} is being deleted; nothing is created in it any more`,
  };
}

function namespaceIsNotSelected({ namespace, account, spec }: Settled): Refusal | undefined {
  if (matchesSelector(account.spec.namespaceSelector ?? {}, namespace.labels)) return undefined;
  return {
    reason: 'NamespaceNotAllowed',
    message: `RegistryAccount ${spec.account} is not for namespace ${namespace.name}: its namespaceSelector does not match the namespace's labels`,
  };
}

function regionIsUnknown(settled: Settled): Refusal | undefined {
  if (regionOf(settled)) return undefined;
  const { spec, offer } = settled;
  const { defaultRegion, all } = offer.places;
  const names = all.map(({ region }) => region).join(', ');
  const known = names === '' ? 'it has none until spec.regions names one' : `it has ${names}`;
  return {
    reason: 'RegionUnknown',
    message:
      defaultRegion === undefined
        ? `${offer.title} has no regions; leave out spec.region`
        : `RegistryAccount ${spec.account} has no region ${regionName(settled)}; ${known}`,
  };
}

function accessIsAboveLimit({ spec, account }: Settled): Refusal | undefined {
  const maximum = account.spec.limits?.maxAccess ?? ACCOUNT_DEFAULTS.maxAccess;
  if (spec.access === 'ReadOnly' || maximum === 'ReadWrite') return undefined;
  return {
    reason: 'AccessNotAllowed',
    message: `RegistryAccount ${spec.account} allows at most ${maximum}; spec.access asks for ${spec.access}`,
  };
}

function accessIsNotOffered({ spec, offer }: Settled): Refusal | undefined {
  const { access } = offer.capabilities;
  if (access.includes(spec.access)) return undefined;
  return {
    reason: 'AccessNotAllowed',
    message: `tokens of RegistryAccount ${spec.account} have ${access.join(', ')}, and spec.access asks for ${spec.access}: ask for what they have, or use another account`,
  };
}

/** Whatever it asks for: to advise another lifetime would lead nowhere. */
function noLifetimeIsAllowed({ spec, account, offer }: Settled): Refusal | undefined {
  const { lifetimes } = offer.capabilities;
  if (allowsAnyLifetime(lifetimes, lifetimeLimits(account.spec))) return undefined;
  return {
    reason: 'LifetimeNotAllowed',
    message: `RegistryAccount ${spec.account} allows no lifetime that ${offer.title} offers (${describeLifetimes(lifetimes)}); an administrator has to raise its limits.maxLifetime`,
  };
}

function lifetimeIsNotToBeHad({ spec, offer, lifetime }: Settled): Refusal | undefined {
  if (!('problem' in lifetime)) return undefined;
  const asked =
    spec.lifetime === undefined
      ? 'name one in spec.lifetime'
      : `spec.lifetime asks for ${showLifetime(spec.lifetime)}`;
  return lifetime.problem === 'not offered'
    ? { reason: 'LifetimeNotOffered', message: `${offer.title} ${lifetime.message}; ${asked}` }
    : {
        reason: 'LifetimeNotAllowed',
        message: `RegistryAccount ${spec.account} ${lifetime.message}; ${asked}`,
      };
}

/** A lifetime that is asked for is compared with it before. */
function renewalIsTooEarly({ spec, lifetime }: Settled): Refusal | undefined {
  const { renewBefore } = spec.rotation;
  if (renewBefore === undefined || 'problem' in lifetime) return undefined;
  if (lifetime.inUse !== 'Never' && renewBefore < lifetime.inUse) return undefined;
  return {
    reason: 'LifetimeNotOffered',
    message: `spec.rotation.renewBefore must be shorter than the lifetime, which is ${showLifetime(lifetime.inUse)}`,
  };
}

function scopeIsNotOffered({ spec, offer }: Settled): Refusal | undefined {
  const { scope } = offer.capabilities;
  if (spec.scope.length === 0 || (scope && (scope.many || spec.scope.length === 1))) return undefined;
  return {
    reason: 'ScopeNotOffered',
    message: scope
      ? `a token of ${offer.title} is for one ${scope.name}; spec.scope names ${spec.scope.length}`
      : `tokens of this account of ${offer.title} are for all of it; leave out spec.scope`,
  };
}

function scopeIsPastNamespace({ spec, offer }: Settled): Refusal | undefined {
  const { scope } = offer.capabilities;
  const name = scope && spec.scope.find((each) => isPastNamespace(each, scope));
  if (name === undefined) return undefined;
  return {
    reason: 'ScopeNotOffered',
    message: `a name in the scope of ${offer.title} is a ${scope?.name}, without host and repository; write ${namespaceIn(name)} for ${name} in spec.scope`,
  };
}

function scopeIsNotAllowed({ spec, account, namespace, offer }: Settled): Refusal | undefined {
  const patterns = account.spec.limits?.scopes ?? [];
  if (patterns.length === 0) return undefined;
  const described = patterns.map((pattern) => describePattern(pattern, namespace.name));
  const allowed = `RegistryAccount ${spec.account} allows ${firstOf(described, MAX_NAMED)}`;
  if (spec.scope.length === 0)
    return {
      reason: 'ScopeNotAllowed',
      message: offer.capabilities.scope
        ? `${allowed}; name what the token is for in spec.scope`
        : `${allowed}, but its tokens can't be limited; take out its limits.scopes, or use another account`,
    };
  const name = forbiddenName(spec.scope, patterns, namespace.name);
  if (name === undefined) return undefined;
  return { reason: 'ScopeNotAllowed', message: `${allowed}; spec.scope asks for ${name}` };
}

/** Patterns named in a message. */
const MAX_NAMED = 5;

const showLifetime = (lifetime: Lifetime): string =>
  lifetime === 'Never' ? lifetime : formatDuration(lifetime);
