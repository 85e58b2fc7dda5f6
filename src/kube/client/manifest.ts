import type { ObjectMeta } from '../../common/objects.ts';

interface Written {
  apiVersion: string;
  kind: string;
  metadata: Partial<ObjectMeta> & { name: string };
}

/** An object as one writes it: what the server fills in may be missing. */
export type Manifest = Written | (Written & Record<string, unknown>);
