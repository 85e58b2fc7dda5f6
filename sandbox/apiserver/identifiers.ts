const SUFFIX_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** A random (version 4) UUID. @param random numbers from 0 up to 1 */
export function newUid(random: () => number): string {
  const digit = (): string => Math.floor(random() * 16).toString(16);
  return 'xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx'.replaceAll(/[xy]/g, (place) =>
    place === 'x' ? digit() : '89ab'.charAt(Math.floor(random() * 4)),
  );
}

/** A name from a `generateName` prefix (k8s.io/apiserver/pkg/storage/names). */
export function generateName(prefix: string, random: () => number): string {
  const suffix = Array.from({ length: 5 }, () =>
    SUFFIX_ALPHABET.charAt(Math.floor(random() * SUFFIX_ALPHABET.length)),
  );
  return `${prefix.slice(0, 58)}${suffix.join('')}`;
}
