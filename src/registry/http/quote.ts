import type { Redacted } from '../../common/redacted.ts';

const PLACEHOLDER = '[redacted]';
const LONGEST = 300;

/**
 * `eyJ` is base64 of `{"`, as every part of a JWT but its signature begins; the others are that in base64 once more, one
 * for each position modulo three.
 */
const JWT = /(?:eyJ|ZXlK|[GWm2]V5S|[BFJNRVZdhlptx159]leU[o-r])[\w\-+/=.]{8,}/g;

/**
 * Text from a server, made safe for a message: on one line, without control and formatting characters, without secrets
 * or anything that looks like a JWT, and cut to `longest` characters.
 * @param secrets what the request held; a server may echo it
 */
export function quote(text: string, secrets: readonly Redacted[], longest = LONGEST): string {
  const plain = text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\p{Cc}\p{Cf}]/gu, '')
    .trim();
  const characters = Array.from(withoutSecrets(plain, secrets));
  return characters.length <= longest ? characters.join('') : `${characters.slice(0, longest - 1).join('')}…`;
}

function withoutSecrets(text: string, secrets: readonly Redacted[]): string {
  let rest = text;
  // Longest first: some contain others, of which the rest would stay.
  const forms = secrets.flatMap(formsOf).sort((one, other) => other.length - one.length);
  for (const form of forms) rest = rest.replaceAll(form, PLACEHOLDER);
  return rest.replaceAll(JWT, PLACEHOLDER);
}

/** A secret verbatim, as escaped in JSON, URLs and forms, and in base64. */
function formsOf(secret: Redacted): string[] {
  const value = secret.reveal();
  const bytes = Buffer.from(value);
  return [
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value),
    new URLSearchParams({ '': value }).toString().slice(1),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
  ].filter((form) => form !== '');
}
