import { merge } from 'ts-deepmerge';
import { FINALIZER } from '../../src/api/names.ts';
import type { Capabilities } from '../../src/api/capabilities.ts';
import type { RegistryAccount } from '../../src/api/registry-account.ts';
import {
  readTokenSpec,
  type MintIntent,
  type Place,
  type PreviousToken,
  type RegistryToken,
  type TokenRecord,
  type TokenSpec,
} from '../../src/api/registry-token.ts';
import { Redacted } from '../../src/common/redacted.ts';
import type { Situation } from '../../src/token/decide/situation.ts';
import type { Offer, Region, Request, Wanted } from '../../src/token/decide/eligibility.ts';
import { dockerConfig, secretManifest, type Credential, type Secret } from '../../src/token/secret/secret.ts';
import type { TokenKey } from '../../src/token/lifecycle/place.ts';
import type { SecretView } from '../../src/token/secret/secret-view.ts';
import { specHash, type Identity } from '../../src/token/decide/spec-hash.ts';

/** A part of a thing, to any depth; `undefined` takes a default away. Lists are given whole. */
export type Part<T> = T extends readonly unknown[] | Redacted
  ? T
  : T extends object
    ? { [K in keyof T]?: Part<T[K]> | undefined }
    : T;

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** When the tokens that the builders make were issued. */
export const ISSUED = Date.parse('2026-01-01T00:00:00Z');
export const HOST = 'us.icr.io';
/** Where the tokens that the builders make were issued. */
export const PLACE = { endpoint: `https://${HOST}`, identity: 'account-1', provider: 'ibmRegistryTokens' };

/** What tells a token from others. */
export function aKey(id = 'token-1', place: Place = PLACE): TokenKey {
  return { id, place };
}

/** A registry that gives identifiers which others have given too. */
export const ANOTHER_PLACE = { ...PLACE, endpoint: 'https://another.example' };

function build<T extends object>(defaults: T, part: Part<T>): T {
  return merge.withOptions({ mergeArrays: false }, defaults, part) as T;
}

/** RFC 3339 time that many milliseconds after `ISSUED`. */
export function at(milliseconds: number): string {
  return `${new Date(ISSUED + milliseconds).toISOString().slice(0, 19)}Z`;
}

/** A RegistryToken that was just created: an empty spec and no status. */
export function aToken(part: Part<RegistryToken> = {}): RegistryToken {
  return build<RegistryToken>(
    {
      apiVersion: 'pullsecrets.dev/v1alpha1',
      kind: 'RegistryToken',
      metadata: {
        name: 'app',
        namespace: 'team',
        uid: '0b6e4a1c-5f0d-4b8e-9a57-3d2c1f0e9b8a',
        resourceVersion: '1',
        generation: 1,
        creationTimestamp: at(-MINUTE),
      },
      spec: {},
    },
    part,
  );
}

/** A RegistryToken whose token was issued at `ISSUED` for 24 h. */
export function anIssuedToken(part: Part<RegistryToken> = {}): RegistryToken {
  const status = { observedGeneration: 1, host: HOST, token: aRecord() };
  return aToken(build({ metadata: { finalizers: [FINALIZER] }, status }, part as object));
}

export function aRecord(part: Part<TokenRecord> = {}): TokenRecord {
  return build<TokenRecord>(
    {
      id: 'token-1',
      access: 'ReadOnly',
      issuedAt: at(0),
      expiresAt: at(DAY),
      revision: 1,
      specHash: aWanted().specHash,
      account: 'default',
      region: 'us-south',
      place: PLACE,
    },
    part,
  );
}

export function aPrevious(part: Part<PreviousToken> = {}): PreviousToken {
  return build<PreviousToken>(
    { id: 'token-0', revision: 1, account: 'default', region: 'us-south', place: PLACE, revokeAt: at(HOUR) },
    part,
  );
}

export function anIntent(part: Part<MintIntent> = {}): MintIntent {
  return build<MintIntent>(
    {
      revision: 2,
      startedAt: at(0),
      reason: 'RenewalDue',
      phase: 'Announced',
      account: 'default',
      region: 'us-south',
      place: PLACE,
      access: 'ReadOnly',
      specHash: aWanted().specHash,
    },
    part,
  );
}

export function aTokenSpec(part: Part<TokenSpec> = {}): TokenSpec {
  return build<TokenSpec>(readTokenSpec(aToken()), part);
}

export function aWanted(part: Part<Wanted> = {}): Wanted {
  const identity: Identity = {
    account: 'default',
    region: 'us-south',
    access: 'ReadOnly',
    lifetime: DAY,
    scope: [],
  };
  const { account, region, lifetime, scope } = identity;
  return build<Wanted>(
    {
      account,
      region,
      host: HOST,
      place: PLACE,
      scope,
      lifetime,
      given: lifetime,
      specHash: specHash(identity),
      issue: 'minted',
      settling: aCapability().settling,
      accountRotation: '',
    },
    part,
  );
}

export function anAccount(part: Part<RegistryAccount> = {}): RegistryAccount {
  return build<RegistryAccount>(
    {
      apiVersion: 'pullsecrets.dev/v1alpha1',
      kind: 'RegistryAccount',
      metadata: { name: 'default', uid: 'account-uid', resourceVersion: '1', creationTimestamp: at(-HOUR) },
      spec: {
        ibmRegistryTokens: {},
        credentialsSecretRef: { name: 'ibm-cloud' },
        limits: { maxAccess: 'ReadWrite', allowNeverExpiring: true },
      },
    },
    part,
  );
}

/** What a registry can do that has tokens for 24 h and for ever, for all that the account can give. */
export function aCapability(part: Part<Capabilities> = {}): Capabilities {
  return build<Capabilities>(
    {
      issue: 'minted',
      access: ['ReadOnly', 'ReadWrite'],
      lifetimes: { kind: 'range', minimum: DAY, maximum: DAY, granularity: DAY, never: true, default: DAY },
      scope: undefined,
      find: 'tag',
      readBack: true,
      revoke: true,
      settling: { acceptance: 0, listing: 0, absence: 0 },
    },
    part,
  );
}

/** A registry with two regions. */
export function anOffer(capabilities: Part<Capabilities> = {}): Offer {
  const all = [
    { region: 'eu-de', host: 'de.icr.io', endpoint: 'https://de.icr.io' },
    { region: 'us-south', host: HOST, endpoint: `https://${HOST}` },
  ];
  const aliases: Record<string, string> = { us: 'us-south' };
  const resolve = (name = 'us-south'): Region | undefined =>
    all.find(({ region }) => region === (aliases[name] ?? name));
  return {
    name: 'ibmRegistryTokens',
    title: 'IBM registry tokens',
    capabilities: aCapability(capabilities),
    places: { defaultRegion: 'us-south', all, resolve },
  };
}

/** A request that is granted. */
export function aRequest(part: Partial<Request> = {}): Request {
  return {
    spec: aTokenSpec(),
    namespace: { name: 'team', labels: {}, terminating: false },
    account: anAccount(),
    offer: anOffer(),
    identity: PLACE.identity,
    ...part,
  };
}

export function aCredential(part: Partial<Credential> = {}): Credential {
  return { tokenId: 'token-1', username: 'token', value: new Redacted('a-very-secret-value'), ...part };
}

/** The Secret as it stands in the cluster after the operator wrote it. */
export function aSecret(
  part: Part<Secret> = {},
  { token = anIssuedToken(), host = HOST, credential = aCredential() } = {},
): Secret {
  const manifest = secretManifest({ token, spec: readTokenSpec(token), host, credential });
  const metadata = {
    ...manifest.metadata,
    uid: 'secret-uid',
    resourceVersion: '7',
    creationTimestamp: at(0),
  };
  return build<Secret>({ metadata, type: manifest.type, data: manifest.data }, part);
}

export const ABSENT: SecretView = { state: 'absent' };
export const FOREIGN: SecretView = { state: 'foreign', message: 'Secret app is not ours' };

/** A view of the Secret that holds the recorded token, all as wanted. */
export function ours(part: Partial<Extract<SecretView, { state: 'ours' }>> = {}): SecretView {
  return {
    state: 'ours',
    uid: 'secret-uid',
    version: '7',
    holds: 'token-1',
    host: HOST,
    current: true,
    locked: false,
    editor: undefined,
    payload: new Redacted(dockerConfig([HOST], aCredential())),
    takeover: undefined,
    ...part,
  };
}

/**
 * A situation in which nothing is to be done: an hour after a token was issued for 24 h. What is wanted follows the
 * token's spec.
 */
export function aSituation({
  token: tokenPart = {},
  now = ISSUED + HOUR,
  ...part
}: Partial<Omit<Situation, 'token'>> & { token?: Part<RegistryToken> } = {}): Situation {
  const token = anIssuedToken(tokenPart);
  const spec = readTokenSpec(token);
  const { account, region = 'us-south', access, lifetime = DAY, scope } = spec;
  const hash = specHash({ account, region, access, lifetime, scope });
  return {
    now,
    registryNow: now,
    token,
    spec,
    wanted: aWanted({ account, region, lifetime, given: lifetime, scope, specHash: hash }),
    secret: ours(),
    olderClaimant: undefined,
    accountIsKnown: true,
    accountProblem: undefined,
    accountChangedAt: undefined,
    place: { outage: undefined, backAt: undefined },
    intentIsStranded: false,
    tokenIsGone: false,
    valueIsKnown: true,
    mintBudget: 5,
    verifies: true,
    hostTryAt: undefined,
    contestedUntil: undefined,
    ...part,
  };
}
