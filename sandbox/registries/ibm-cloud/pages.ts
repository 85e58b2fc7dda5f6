import { json, pathOf, queryOf, type Answer, type Request } from '../shared/message.ts';

const MAX_SIZE = 100;
const USUAL_SIZE = 20;

/** A page of the identity API: `next` is a whole URL with a `pagetoken`. */
export function identityPage(request: Request, name: string, rows: readonly object[]): Answer {
  const query = queryOf(request);
  const size = Math.min(Number(query.get('pagesize') ?? USUAL_SIZE), MAX_SIZE);
  const offset = Number(Buffer.from(query.get('pagetoken') ?? '', 'base64url').toString() || 0);
  const end = offset + size;
  const base = `https://iam.cloud.ibm.com${pathOf(request)}`;
  const pageUrl = (at: number): string => {
    const link = new URLSearchParams(query);
    link.set('pagetoken', Buffer.from(String(at)).toString('base64url'));
    return `${base}?${link.toString()}`;
  };
  return json(200, {
    context: {},
    offset,
    limit: size,
    first: base,
    ...(end < rows.length && { next: pageUrl(end) }),
    [name]: rows.slice(offset, end),
  });
}

/** A page of the policy API: `next` is an object with `start`. */
export function policyPage(request: Request, rows: readonly object[]): Answer {
  const query = queryOf(request);
  const limit = Math.min(Number(query.get('limit') ?? 50), MAX_SIZE);
  const offset = Number(query.get('start') ?? 0);
  const end = offset + limit;
  const href = (start: number): string =>
    `https://iam.cloud.ibm.com/v1/policies?limit=${limit}&start=${start}`;
  return json(200, {
    limit,
    first: { href: href(0) },
    ...(end < rows.length && { next: { href: href(end), start: String(end) } }),
    policies: rows.slice(offset, end),
  });
}
