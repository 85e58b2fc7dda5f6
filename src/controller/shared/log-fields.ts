import type { RegistryToken } from '../../api/registry-token.ts';

/** The fields every log line about a RegistryToken carries. */
export function idsOf({ metadata }: RegistryToken): { namespace: string; name: string; uid: string } {
  return { namespace: metadata.namespace ?? '', name: metadata.name, uid: metadata.uid };
}
