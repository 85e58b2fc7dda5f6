import type { ClusterRegistryToken } from '../../api/cluster-registry-token.ts';
import { TEMPLATE_ANNOTATION } from '../../api/names.ts';
import type { ObjectMeta } from '../../common/objects.ts';
import { rotateValue } from '../decide/rotate-now.ts';

/**
 * What a RegistryToken has of a template, written beside it: which labels and annotations are to go when the template no longer
 * has them, and which rotation was passed on, so that one asked for in the namespace itself is not undone.
 */
export interface TemplateRecord {
  /** Keys. */
  labels: readonly string[];
  annotations: readonly string[];
  rotate?: string;
}

/** Characters; that of a template with the longest keys takes less. */
export const MAX_RECORD = 32_768;
/** Labels, and annotations, of a template, as in the CRD. */
const MAX_KEYS = 32;

/** The record of a RegistryToken that is as the template says now. */
export function recordOf({ metadata, spec }: ClusterRegistryToken): TemplateRecord {
  const { labels = {}, annotations = {} } = spec.template.metadata ?? {};
  const rotate = rotateValue({ metadata });
  return {
    labels: Object.keys(labels).sort(),
    annotations: Object.keys(annotations).sort(),
    ...(rotate !== undefined && { rotate }),
  };
}

/** As it is written into the annotation. */
export const recordText = (record: TemplateRecord): string => JSON.stringify(record);

/**
 * What the record of a RegistryToken says; nothing where it has none, or one that people made. Whoever may change the RegistryToken can
 * write a record too, so it names no more keys than a template has: the values of these are kept in memory.
 */
export function readRecord({ annotations }: Pick<ObjectMeta, 'annotations'>): TemplateRecord {
  const text = annotations?.[TEMPLATE_ANNOTATION];
  const nothing = { labels: [], annotations: [] };
  if (text === undefined || text.length > MAX_RECORD) return nothing;
  try {
    // Another value has none of these, or throws, as null does.
    const { labels, annotations: keys, rotate } = JSON.parse(text) as Record<string, unknown>;
    return {
      labels: textsOf(labels),
      annotations: textsOf(keys),
      ...(typeof rotate === 'string' && { rotate }),
    };
  } catch {
    return nothing;
  }
}

const textsOf = (value: unknown): string[] =>
  Array.isArray(value)
    ? value.filter((each): each is string => typeof each === 'string').slice(0, MAX_KEYS)
    : [];
