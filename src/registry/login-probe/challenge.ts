/** A registry's challenge for a bearer token (RFC 6750; CNCF Distribution's token authentication). */
export interface BearerChallenge {
  scheme: 'Bearer';
  /** URL of the token endpoint, as received. */
  realm: string | undefined;
  service: string | undefined;
}

const SCHEME = /[\s,]*([\w!#$%&'*+.^`|~-]+)(?=[\s,]|$)/y;
const PARAMETER = /[\s,]*([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))(?=[\s,]|$)/y;

/** Or for the credential itself (RFC 7617), as simple registries do. */
export type Challenge = BearerChallenge | { scheme: 'Basic' };

/**
 * Finds the challenge to answer in a WWW-Authenticate header, Bearer rather than Basic as docker does. Takes what servers send, which is more than RFC 9110 allows:
 * values with or without quotes, blanks around commas and equals signs, blanks in place of commas, several challenges in
 * one header. IBM's registry sends its values without quotes. Parsing stops at the first part that is not valid.
 */
export function readChallenge(header: string): Challenge | undefined {
  const challenges = readChallenges(header);
  const bearer = challenges.get('bearer');
  if (bearer) return { scheme: 'Bearer', realm: bearer.get('realm'), service: bearer.get('service') };
  return challenges.has('basic') ? { scheme: 'Basic' } : undefined;
}

/** Parameters by scheme, all names in lower case. */
function readChallenges(header: string): Map<string, Map<string, string>> {
  const challenges = new Map<string, Map<string, string>>();
  let current: Map<string, string> | undefined;
  for (let at = 0; at < header.length;) {
    const parameter = matchAt(PARAMETER, header, at);
    const match = parameter ?? matchAt(SCHEME, header, at);
    if (!match) break;
    at += match[0].length;
    const [, name = '', quoted, plain = ''] = match;
    if (parameter) {
      current?.set(name.toLowerCase(), quoted?.replaceAll(/\\(.)/g, '$1') ?? plain);
    } else {
      current = new Map();
      challenges.set(name.toLowerCase(), current);
    }
  }
  return challenges;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
