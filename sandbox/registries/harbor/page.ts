import { json, pathOf, queryOf, type Answer, type Request } from '../shared/message.ts';
import { problem } from './problems.ts';

const MAX_SIZE = 100;

/** The page of a list that a request asks for, with Harbor's headers. */
export function page(request: Request, all: readonly object[]): Answer {
  const query = queryOf(request);
  const number = whole(query.get('page')) ?? 1;
  const size = whole(query.get('page_size')) ?? 10;
  if (size > MAX_SIZE) return problem(422, `page_size in query should be less than or equal to ${MAX_SIZE}`);
  const more = number * size < all.length;
  const next = `<${pathOf(request)}?page=${number + 1}&page_size=${size}>; rel="next"`;
  return json(200, all.slice((number - 1) * size, number * size), {
    'x-total-count': String(all.length),
    ...(more && { link: next }),
  });
}

function whole(text: string | null): number | undefined {
  return text !== null && /^[1-9]\d*$/.test(text) ? Number(text) : undefined;
}
