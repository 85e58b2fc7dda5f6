/** A warning for people: code 299, who warns, the text as a quoted string, and perhaps a date (RFC 7234, section 5.5). */
const WARNING = /(?:^|,)\s*299 [^\s"]+ "((?:[^"\\]|\\.)*)"/g;

/**
 * The texts of an answer's `Warning` headers, as client-go reads them (apimachinery, util/net, ParseWarningHeaders): an API server
 * tells with them what is deprecated, and what ValidatingAdmissionPolicies and webhooks warn of.
 * @param header bytes of UTF-8 as undici gives them, each as one character
 */
export function warningsOf(header: string | string[] | undefined): string[] {
  if (header === undefined) return [];
  return [header].flat().flatMap((value) =>
    [...Buffer.from(value, 'latin1').toString().matchAll(WARNING)].flatMap(([, quoted = '']) => {
      const text = quoted.replaceAll(/\\(.)/g, '$1').trim();
      return text === '' ? [] : text;
    }),
  );
}
