import { GROUP, ROTATE_ANNOTATION, TEMPLATE_ANNOTATION } from '../../api/names.ts';
import type { RegistryToken } from '../../api/registry-token.ts';
import { prefix } from '../../api/syntax/text.ts';

const KNOWN = [ROTATE_ANNOTATION, TEMPLATE_ANNOTATION];

/** Value of the rotate-now annotation, cut to what is echoed in the status. */
export function rotateValue({ metadata }: Pick<RegistryToken, 'metadata'>): string | undefined {
  const value = metadata.annotations?.[ROTATE_ANNOTATION];
  return value === undefined ? undefined : prefix(value, 256);
}

/** Keys of annotations that look like the operator's and mean nothing, three at most: misspelt, a request would go unheard. */
export function unknownAnnotations({ metadata }: RegistryToken): string[] {
  return Object.keys(metadata.annotations ?? {})
    .filter((key) => key.startsWith(`${GROUP}/`) && !KNOWN.includes(key))
    .sort()
    .slice(0, 3);
}

/** Whether the annotation asks for a token that has not been issued yet. */
export function isRotationRequested(token: RegistryToken): boolean {
  const requested = rotateValue(token);
  return requested !== undefined && requested !== token.status?.lastHandledRotate;
}

/** Whether the annotation asks for one, and has done so only since the last failure: somebody wants it tried now. */
export function isRetryRequested(token: RegistryToken): boolean {
  return isRotationRequested(token) && rotateValue(token) !== token.status?.lastTriedRotate;
}
