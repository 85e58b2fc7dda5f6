import { asObject, asText, type Json, type JsonObject } from '../json.ts';
import type { Column } from '../resource-type.ts';
import { humanDuration } from '../time-text.ts';

type Cell = Column['cell'];

/** A column of a built-in table. */
export function column(name: string, cell: Cell, type = 'string', priority = 0): Column {
  return { name, type, description: '', priority, cell };
}

/** How long ago a time was, as tables show it. */
export function ageOf(time: Json | undefined, now: number): string {
  const at = Date.parse(asText(time));
  return Number.isNaN(at) ? '<unknown>' : humanDuration(now - at);
}

export const nameColumn: Column = {
  ...column('Name', (object) => asText(asObject(object.metadata).name)),
  format: 'name',
};

export const ageColumn: Column = column('Age', (object: JsonObject, now) =>
  ageOf(asObject(object.metadata).creationTimestamp, now),
);
