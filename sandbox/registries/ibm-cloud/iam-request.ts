import type { Clock } from '../../../src/common/clock.ts';
import { pathOf, type Answer, type Request } from '../shared/message.ts';
import type { IamState } from './iam-state.ts';
import type { IamProblems } from './problems.ts';

/** What each of IAM's APIs works with. */
export interface IamOptions {
  clock: Clock;
  state: IamState;
  problems: IamProblems;
  /** The `iam_id` that an Authorization header speaks for, if its access token is good. */
  callerOf: (authorization: string | undefined) => string | undefined;
  newId: () => string;
}

export const DONE: Answer = { status: 204, headers: {}, body: '' };
/** Characters of a description. */
export const MAX_TEXT = 300;

/** Answers a request of one who may manage identities and policies; others get 401 or 403. */
export function authorized(
  { state, problems, callerOf }: IamOptions,
  request: Request,
  act: () => Answer,
): Answer {
  const caller = callerOf(request.headers.authorization);
  if (caller === undefined) return problems.apiByStatus(401);
  return state.administrators.has(caller) ? act() : problems.apiByStatus(403);
}

/** What counts towards a quota. */
export function countOf(objects: ReadonlyMap<string, { deletedAt: number | undefined }>): number {
  return [...objects.values()].filter(({ deletedAt }) => deletedAt === undefined).length;
}

/** The id that the path ends with. */
export function idOf(request: Request): string {
  return decodeURIComponent(pathOf(request).split('/').at(-1) ?? '');
}

export function bodyOf(request: Request): Record<string, unknown> {
  try {
    return (JSON.parse(request.body) ?? {}) as Record<string, unknown>;
  } catch {
    return {};
  }
}
