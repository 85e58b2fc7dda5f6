import { asList, asObject, asText, type Json, type JsonObject } from '../json.ts';
import type { Column } from '../resource-type.ts';
import { ageColumn, ageOf, nameColumn } from './columns.ts';
import { compileJsonPath } from './json-path.ts';

/** The columns of a custom resource: its name, and what its definition's additionalPrinterColumns say. */
export function customColumns(version: JsonObject): Column[] {
  const defined = asList(version.additionalPrinterColumns).map(asObject);
  return [nameColumn, ...(defined.length > 0 ? defined.map(customColumn) : [ageColumn])];
}

function customColumn(definition: JsonObject): Column {
  const type = asText(definition.type);
  const find = compileJsonPath(asText(definition.jsonPath));
  const name = asText(definition.name);
  return {
    name,
    type,
    ...(asText(definition.format) && { format: asText(definition.format) }),
    description: asText(definition.description),
    priority: Number(definition.priority ?? 0),
    cell: (object, now) => cellOf(type, find(object), now),
  };
}

/** Several values are joined by commas; a value of the wrong type shows as nothing (apiextensions, tableconvertor). */
function cellOf(type: string, values: Json[], now: number): string | number | boolean | null {
  const [value] = values;
  if (value === undefined) return null;
  if (values.length > 1) return values.map(textOf).join(',');
  switch (type) {
    case 'integer':
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      return value === null ? '<unknown>' : ageOf(value, now);
    default:
      return textOf(value);
  }
}

function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
