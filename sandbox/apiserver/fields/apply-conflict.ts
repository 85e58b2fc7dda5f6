import { StatusError } from '../status-error.ts';
import { pathText, type FieldPath } from './field-path.ts';
import type { Owner } from './managed-fields.ts';

export interface FieldConflict {
  owner: Owner;
  path: FieldPath;
}

/** The 409 that names each field somebody else owns, in upstream's words (managedfields/internal/conflict.go). */
export function conflictError(conflicts: readonly FieldConflict[]): StatusError {
  const causes = conflicts.map(({ owner, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${ownerText(owner)}`,
    field: pathText(path),
  }));
  return new StatusError(409, 'Conflict', messageOf(conflicts), { causes });
}

function messageOf(conflicts: readonly FieldConflict[]): string {
  const [first] = conflicts;
  if (first && conflicts.length === 1)
    return `Apply failed with 1 conflict: conflict with ${ownerText(first.owner)}: ${pathText(first.path)}`;
  const byOwner = Map.groupBy(conflicts, ({ owner }) => ownerText(owner));
  const lines = [...byOwner.keys()].sort().flatMap((owner) => {
    const paths = (byOwner.get(owner) ?? []).map(({ path }) => `- ${pathText(path)}`);
    return [`conflicts with ${owner}:`, ...paths];
  });
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`;
}

function ownerText(owner: Owner): string {
  const name = JSON.stringify(owner.manager);
  const who = owner.subresource ? `${name} with subresource ${JSON.stringify(owner.subresource)}` : name;
  return owner.operation === 'Update'
    ? `${who} using ${owner.apiVersion}${owner.time && ` at ${owner.time}`}`
    : who;
}
