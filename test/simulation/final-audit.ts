import { findCondition } from '../../src/api/conditions.ts';
import {
  OWNER_NAME_ANNOTATION,
  OWNER_UID_LABEL,
  ROTATE_ANNOTATION,
  TOKEN_ID_ANNOTATION,
} from '../../src/api/names.ts';
import type { RegistryToken } from '../../src/api/registry-token.ts';
import type { SecretObject } from '../support/world.ts';
import { clusterTokenComplaints } from './cluster-token-audit.ts';
import { heldToken, ownerOf } from './held-token.ts';
import { deathOf, uidOf } from './mint-book.ts';
import { ACCOUNT_NAMES, accountIdOf } from './registries/api-keys.ts';
import type { Possession } from './registries/provider.ts';
import { podComplaints } from './pods.ts';
import { linkComplaints } from './service-accounts.ts';
import type { World } from './world.ts';

/** Milliseconds that a revocation may be overdue while everything works. */
const OVERDUE = 60_000;
/** Milliseconds from the sweep that misses a token to another one in force: a second list, and a mint. */
const NOTICING = 5 * 60_000;
/** After this long without trouble everything must be in order: the longest waits, a grace period and two sweeps. */
export const CALM = 5 * 3_600_000;

/** As long a token that is due at the end of it may take, in milliseconds. */
export const PATIENCE = 10 * 60_000;

/** Whether a token is being issued. */
export function isIssuing(world: World): boolean {
  return world.tokens().some(({ status }) => status?.mintIntent !== undefined);
}

/** What is not as it has to be once all trouble is over and time enough has passed; a line for each. */
export function finalComplaints(world: World): string[] {
  const tokens = world.tokens();
  return [
    ...tokens.flatMap((token) => tokenComplaints(world, token)),
    ...registryComplaints(world, tokens),
    ...clusterTokenComplaints(world),
    ...linkComplaints(world),
    ...podComplaints(world),
  ];
}

function tokenComplaints(world: World, token: RegistryToken): string[] {
  const { metadata, spec, status = {} } = token;
  const now = world.clock.now();
  const complaints: string[] = [];
  const expect = (holds: boolean, what: string): void => {
    if (!holds) complaints.push(`${metadata.namespace}/${metadata.name} ${what}`);
  };
  expect(metadata.deletionTimestamp === undefined, 'is still being deleted');
  const reachable = (status.previousTokens ?? []).filter((previous) => world.places.leadsTo(previous));
  for (const { id, revokeAt } of reachable)
    expect(Date.parse(revokeAt) > now - OVERDUE, `has not revoked ${id}, which was due at ${revokeAt}`);
  const ready = findCondition(status.conditions, 'Ready');
  if (mayBeStuck(world, token)) return complaints;
  expect(ready?.status === 'True', `is not ready: ${ready?.reason} ${ready?.message}`);
  expect(ready?.observedGeneration === metadata.generation, 'was not looked at since it changed');
  expect(status.mintIntent === undefined, 'has an open intent');
  expect(status.pendingHost === undefined, 'waits for a host');
  expect(metadata.annotations?.[ROTATE_ANNOTATION] === status.lastHandledRotate, 'was not rotated as asked');
  const name = spec.secret?.name ?? metadata.name;
  const secret = world
    .secrets()
    .find((each) => each.metadata.namespace === metadata.namespace && each.metadata.name === name);
  const held = secret && heldToken(world.registries, secret);
  if (world.registries.of(spec.accountRef?.name ?? 'default').sessions !== undefined)
    return [...complaints, ...exchangeComplaints(world, token, held)];
  const mint = world.audit.mints.get(status.token?.id);
  // What somebody else revoked is noticed by the next sweep and a look soon after.
  const noticedBy = mint ? deathOf(mint) + world.settings.sweepInterval + NOTICING : now;
  const unnoticed = world.audit.takenAway.has(mint?.id ?? '') && now < noticedBy;
  expect(mint !== undefined && (deathOf(mint) > now || unnoticed), 'has a dead token');
  expect(held !== undefined && held === mint?.id, 'does not have its token in its Secret');
  return complaints;
}

/** @param held what the Secret holds, as the audit calls it */
function exchangeComplaints(
  world: World,
  { metadata, spec, status = {} }: RegistryToken,
  held: string | undefined,
): string[] {
  const exchange = world.audit.exchanges.get(held);
  const inForce = world.audit.exchanges.named(status.token?.id);
  const asked = [spec.access ?? 'ReadOnly', ...[...(spec.scope ?? [])].sort()].join();
  const given = [exchange?.access, ...(exchange?.scope ?? [])].join();
  return [
    ...(exchange && exchange.expiresAt > world.clock.now()
      ? []
      : [`has ${held} in its Secret, which is dead`]),
    ...(inForce && inForce.id !== held ? [`has ${held} in its Secret, and ${inForce.id} in force`] : []),
    ...(given === asked ? [] : [`asks for ${asked} and has ${given}`]),
  ].map((what) => `${metadata.namespace}/${metadata.name} ${what}`);
}

/** Whether users have to act first. */
function mayBeStuck(world: World, { metadata, spec, status }: RegistryToken): boolean {
  const { reason } = status ?? {};
  if (reason === 'TokenExpired') return spec.rotation?.policy === 'Manual';
  if (reason !== 'SecretConflict') return false;
  const name = spec.secret?.name ?? metadata.name;
  const wanted = world
    .tokens()
    .filter(
      (other) =>
        other.metadata.namespace === metadata.namespace &&
        (other.spec.secret?.name ?? other.metadata.name) === name,
    );
  const secret = world
    .secrets()
    .find((each) => each.metadata.namespace === metadata.namespace && each.metadata.name === name);
  const owner =
    secret &&
    (secret.metadata.ownerReferences?.[0]?.uid ??
      secret.metadata.labels?.['pullsecrets.dev/registrytoken-uid']);
  if (wanted.length > 1) return true;
  if (secret && world.audit.secrets.isRestored(secret) && isLeftBy(world, secret, metadata.name))
    return false;
  return secret !== undefined && owner !== metadata.uid;
}

/** Whether a Secret was of an earlier RegistryToken of that name: the one that is here has it back. */
function isLeftBy(world: World, { metadata }: SecretObject, name: string): boolean {
  const uid = metadata.labels?.[OWNER_UID_LABEL];
  const isThere = world.tokens().some((token) => token.metadata.uid === uid);
  return !isThere && uid !== undefined && metadata.annotations?.[OWNER_NAME_ANNOTATION] === name;
}

/**
 * Only a sweep on its interval finds what came when nobody expected it any more, and what a Secret still held when its place
 * came back and was looked at. The next is far off.
 */
function isForTheNextSweep({ settings, audit }: World, id: string): boolean {
  const mint = audit.mints.get(id);
  return settings.sweepInterval > CALM && mint !== undefined && (mint.late || mint.stranded);
}

/** Whether any RegistryAccount leads to where something is. */
function isReachable({ places, registries }: World, { account, endpoint }: Possession): boolean {
  return ACCOUNT_NAMES.some(
    (name) =>
      (account === undefined || accountIdOf(name) === account) &&
      registries.of(name).apiHosts.includes(new URL(endpoint).host) &&
      places.leadsTo({ account: name, place: { endpoint } }),
  );
}

function registryComplaints(world: World, tokens: readonly RegistryToken[]): string[] {
  const used = new Set(world.audit.retained());
  // What was created for a Secret that turned out to be somebody else's waits for users to act.
  for (const token of tokens.filter((each) => mayBeStuck(world, each)))
    for (const { id, revision } of world.audit.mints.of(token.metadata.uid))
      if (revision === token.status?.mintIntent?.revision) used.add(id);
  for (const { status } of tokens)
    for (const id of [status?.token?.id, ...(status?.previousTokens ?? []).map((token) => token.id)])
      if (id !== undefined) used.add(id);
  for (const secret of world.secrets()) used.add(heldToken(world.registries, secret) ?? '');
  for (const id of namedByLeftSecrets(world, tokens)) used.add(id);
  const living = world.registries.tokens();
  const remains = world.registries.remains();
  const alive = new Set([...living, ...remains].map(({ id }) => id));
  // While another cluster has tokens with the same id, what deleted RegistryTokens left stays.
  const isShared = world.audit.elsewhere.size > 0;
  const orphans = (isShared ? [] : living)
    .filter((token) => isReachable(world, token))
    .map(({ id }) => id)
    .filter((id) => !used.has(id) && !world.audit.others.has(id) && !isForTheNextSweep(world, id));
  const left = isShared ? [] : identityComplaints(world, tokens, used);
  const lost = [...world.audit.others].filter((id) => !alive.has(id));
  return [
    ...orphans.map((id) => `token ${id} is orphaned: ${JSON.stringify(world.audit.mints.get(id))}`),
    ...left,
    ...lost.map((id) => `token ${id}, which is somebody else's, is gone`),
  ];
}

/**
 * Tokens that Secrets of RegistryTokens that are gone name. The sweep sees Secrets' metadata and never their payload, so one whose
 * payload users took away still speaks for its token; nobody is left to repair it.
 */
function namedByLeftSecrets(world: World, tokens: readonly RegistryToken[]): string[] {
  const there = new Set(tokens.map(({ metadata }) => metadata.uid));
  return world
    .secrets()
    .filter((secret) => !there.has(ownerOf(secret) ?? ''))
    .flatMap(({ metadata }) => metadata.annotations?.[TOKEN_ID_ANNOTATION] ?? []);
}

/** What is left of RegistryTokens that are gone, besides tokens that live. */
function identityComplaints(
  world: World,
  tokens: readonly RegistryToken[],
  used: ReadonlySet<string>,
): string[] {
  const { audit, registries, settings } = world;
  const there = new Set(tokens.map(({ metadata }) => metadata.uid));
  // What a token hangs on that is kept on purpose, or that only a later sweep can find, stays with it.
  const kept = new Set(
    registries
      .tokens()
      .flatMap(({ id, description }) =>
        used.has(id) || isForTheNextSweep(world, id) ? uidOf(description) : [],
      ),
  );
  // What a token hung on that was kept on purpose goes with the first sweep after its end.
  for (const mint of [...audit.retained()].map((id) => audit.mints.get(id)))
    if (mint && deathOf(mint) + settings.sweepInterval > world.clock.now()) kept.add(mint.uid);
  const isLate = ({ id }: Possession): boolean =>
    settings.sweepInterval > CALM && audit.lateIdentities.has(id);
  return registries
    .remains()
    .filter((each) => isReachable(world, each) && !audit.others.has(each.id) && !isLate(each))
    .filter(({ description }) => !there.has(uidOf(description)) && !kept.has(uidOf(description)))
    .map(({ id, description }) => `${id} is left of a RegistryToken that is gone: ${description}`);
}
