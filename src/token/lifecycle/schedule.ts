import { hash } from 'node:crypto';
import type { Lifetime, TokenRecord, TokenSpec } from '../../api/registry-token.ts';
import { parseDuration } from '../../api/syntax/duration.ts';
import { fromTime } from '../../api/syntax/time.ts';
import { CLOCK_ERROR } from './clock-skew.ts';

/** At most this part of a token's time in force is taken off it, so that tokens made together are not renewed together. */
const JITTER = 0.05;
const DEFAULT_MARGIN = 1 / 3;
/** What a margin that was asked for leaves a token at least, in milliseconds: half of the shortest lifetime there is to ask for. */
const MIN_IN_FORCE = 30_000;
/** A token that comes with less than this to live, in milliseconds, came dead. */
export const MIN_LIFE = 5_000;

/** Milliseconds since 1970 at which a recorded token expires; Infinity when it never does. */
export function expiryOf(record: Pick<TokenRecord, 'expiresAt'>): number {
  return fromTime(record.expiresAt) ?? Infinity;
}

/** As `expiryOf`, or earlier where it was asked to be in use for a shorter time than the registry gives. */
function endOf(record: Pick<TokenRecord, 'expiresAt' | 'issuedAt' | 'lifetime'>): number {
  const { lifetime } = record;
  const inUse = lifetime === undefined ? undefined : parseDuration(lifetime);
  const expiry = expiryOf(record);
  return inUse === undefined ? expiry : Math.min(expiry, (fromTime(record.issuedAt) ?? 0) + inUse);
}

/**
 * Milliseconds since 1970, by this machine's clock, from which a token has surely expired. Until then it is revoked like one
 * that lives: it is the registry's clock that counts, and a registry that no longer has it says so.
 */
export function surelyExpiredAt(record: Pick<TokenRecord, 'expiresAt'>): number {
  return expiryOf(record) + CLOCK_ERROR;
}

/**
 * When a token is to be replaced on schedule: `renewBefore` the end of its use, by default a third of its life, and a
 * little earlier still by a jitter that is fixed for this token. A margin that leaves next to nothing of the token's real
 * life gives way to the default. One that never expires is replaced `rotateEvery` after it was issued.
 * @param uid of the RegistryToken
 * @returns milliseconds since 1970, or undefined when nothing is scheduled
 */
export function rotationTime(
  record: TokenRecord,
  rotation: TokenSpec['rotation'],
  uid: string,
): number | undefined {
  if (rotation.policy === 'Manual') return undefined;
  const end = endOf(record);
  const life = lifeOf(record);
  const planned = timeInForce(life, rotation);
  if (planned === Infinity) return undefined;
  const jitter = JITTER * fractionOf(`${uid}/${record.revision}`);
  const begin = end === Infinity ? (fromTime(record.issuedAt) ?? 0) : end - life;
  return Math.floor(begin + planned * (1 - jitter));
}

/** How often tokens follow each other. */
export interface Rhythm {
  /** How long each is in use at the most. */
  lifetime: Lifetime;
  rotation: TokenSpec['rotation'];
}

/**
 * The shortest time, in milliseconds, that the schedule leaves between two tokens; Infinity where it plans none.
 * @param record the token in force, whose real life counts; without one, the lifetime asked for does
 */
export function shortestInForce(record: TokenRecord | undefined, { lifetime, rotation }: Rhythm): number {
  if (rotation.policy === 'Manual') return Infinity;
  const life = record ? lifeOf(record) : lifetime === 'Never' ? Infinity : lifetime;
  return Math.max(MIN_IN_FORCE, timeInForce(life, rotation) * (1 - JITTER));
}

/** How long a token of that life is in force by its schedule, before jitter; Infinity: for good. */
function timeInForce(life: number, { renewBefore, rotateEvery }: TokenSpec['rotation']): number {
  if (life === Infinity) return rotateEvery ?? Infinity;
  const wanted = renewBefore ?? life * DEFAULT_MARGIN;
  return life - (life - wanted >= MIN_IN_FORCE ? wanted : life * DEFAULT_MARGIN);
}

/** Milliseconds from a token's issue to the end of its use. */
function lifeOf(record: TokenRecord): number {
  return Math.max(0, endOf(record) - (fromTime(record.issuedAt) ?? 0));
}

/** A number in [0, 1) that is always the same for the same text. */
function fractionOf(text: string): number {
  return hash('sha256', text, 'buffer').readUInt32BE(0) / 2 ** 32;
}
