import { Redacted } from '../../common/redacted.ts';
import type { HttpAnswer } from '../http/answer.ts';
import type { IssuedToken, ListedToken } from '../port.ts';
import type { RowSelection } from '../../common/row-splitter.ts';
import { claimsOf } from '../jwt.ts';

/** As in `docker login -u token`. */
const USERNAME = 'token';

/** Whether a value names one token in a path, and not the collection. */
export function isTokenId(value: unknown): value is string {
  return typeof value === 'string' && !/^\.{0,2}$/.test(value);
}

/**
 * Reads `{"token": "<jwt>"}`; the id is the JWT's `jti`, and a JWT without `exp` never expires.
 * @returns undefined when it has another shape
 */
export function readIssued(json: unknown): IssuedToken | undefined {
  const { token } = fields(json);
  const claims = claimsOf(token);
  if (typeof token !== 'string' || !claims) return undefined;
  const { jti, exp } = claims;
  if (!isTokenId(jti) || !(exp === undefined || isTime(exp))) return undefined;
  const expiresAt = exp === undefined ? null : exp * 1000;
  return { id: jti, username: USERNAME, value: new Redacted(token), expiresAt };
}

/** Result for a row without an id: the list is then not complete. */
const DAMAGED = Symbol('a row without an id');

/** Reads the rows of `{"tokens": [...]}` one by one, without their values. */
export function listedRows(select: (row: ListedToken) => unknown): RowSelection {
  return {
    key: 'tokens',
    select: (value) => {
      const row = readRow(value);
      return row ? select(row) : DAMAGED;
    },
  };
}

/**
 * What was selected of `{"tokens": [...]}`. A list of nothing can be null, as Go writes it.
 * @returns undefined when it has another shape, or a row has no id
 */
export function readList({ json, rows }: Pick<HttpAnswer, 'json' | 'rows'>): readonly unknown[] | undefined {
  const { tokens } = fields(json);
  if (tokens === null) return [];
  const complete = Array.isArray(tokens) && tokens.length === rows.count && !rows.kept.includes(DAMAGED);
  return complete ? rows.kept : undefined;
}

function readRow(value: unknown): ListedToken | undefined {
  const { _id: id, secondary_owner: description, expiry, revoked } = fields(value);
  if (!isTokenId(id)) return undefined;
  return {
    id,
    description: typeof description === 'string' ? description : '',
    expiresAt: isTime(expiry) ? expiry * 1000 : null,
    revoked: revoked === true,
  };
}

/** Seconds since 1970; 0 stands for none. */
function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
