import { invalid, required, type FieldError } from '../field-error.ts';
import { asObject, asText, isObject, type Json, type JsonObject } from '../json.ts';
import { ageOf, column } from '../table/columns.ts';
import { builtinType, referenceFields } from './builtin-type.ts';

const columns = [
  column('Last Seen', (event, now) => ageOf(lastSeen(event), now)),
  column('Type', (event) => asText(event.type)),
  column('Reason', (event) => asText(event.reason)),
  column('Object', (event) => {
    const { kind, name } = asObject(event.involvedObject);
    return `${asText(kind).toLowerCase()}/${asText(name)}`;
  }),
  column('Message', (event) => asText(event.message).trim()),
];

function lastSeen(event: JsonObject): Json | undefined {
  return (
    event.lastTimestamp ?? asObject(event.series).lastObservedTime ?? event.eventTime ?? event.firstTimestamp
  );
}

const common = { plural: 'events', kind: 'Event', createOnUpdate: true };

function commonFields(event: JsonObject): Record<string, string> {
  const component = asText(asObject(event.source).component) || asText(event.reportingComponent);
  return {
    reason: asText(event.reason),
    reportingComponent: asText(event.reportingComponent),
    source: component,
    type: asText(event.type),
  };
}

export const coreEvents = builtinType({
  ...common,
  shortNames: ['ev'],
  model: 'CoreV1Event',
  columns,
  selectableFields: (event) => ({
    ...referenceFields('involvedObject', asObject(event.involvedObject)),
    ...commonFields(event),
  }),
  prepare: (event) => ({
    reportingComponent: '',
    reportingInstance: '',
    ...event,
    source: asObject(event.source),
  }),
  validate: (event) => validateNamespace(event, asObject(event.involvedObject), 'involvedObject.namespace'),
});

/** events.k8s.io/v1: the same objects under other names. */
export const eventsV1 = builtinType({
  ...common,
  shortNames: ['ev'],
  model: 'EventsV1Event',
  group: 'events.k8s.io',
  collection: coreEvents.collection,
  columns: columns.map((one) => ({ ...one, cell: (event, now) => one.cell(toCore(event), now) })),
  selectableFields: (event) => ({
    ...referenceFields('regarding', asObject(event.regarding)),
    ...commonFields(toCore(event)),
  }),
  validate: (event, old) => [
    ...validateNamespace(event, asObject(event.regarding), 'involvedObject.namespace'),
    ...(old ? [] : validateNewEvent(event)),
  ],
  read: fromCore,
  store: toCore,
});

const NAMES: [core: string, v1: string][] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
  ['reportingComponent', 'reportingController'],
];

function fromCore(event: JsonObject): JsonObject {
  return { ...renamed(event, new Map(NAMES)), apiVersion: 'events.k8s.io/v1' };
}

function toCore(event: JsonObject): JsonObject {
  return { ...renamed(event, new Map(NAMES.map(([core, v1]) => [v1, core]))), apiVersion: 'v1' };
}

function renamed(event: JsonObject, names: ReadonlyMap<string, string>): JsonObject {
  return Object.fromEntries(Object.entries(event).map(([key, value]) => [names.get(key) ?? key, value]));
}

/** An event lives beside its object; one about a cluster-scoped object lives in `default` (or kube-system). */
function validateNamespace(event: JsonObject, about: JsonObject, field: string): FieldError[] {
  const namespace = asText(asObject(event.metadata).namespace);
  const wanted = asText(about.namespace);
  const fits = wanted === '' ? ['default', 'kube-system'].includes(namespace) : wanted === namespace;
  return fits ? [] : [invalid(field, wanted, 'does not match event.namespace')];
}

function validateNewEvent(event: JsonObject): FieldError[] {
  const errors: FieldError[] = [];
  if (!event.eventTime) errors.push(required('eventTime'));
  for (const field of ['reportingController', 'reportingInstance', 'action', 'reason'])
    if (asText(event[field]) === '') errors.push(required(field));
  if (event.type !== 'Normal' && event.type !== 'Warning')
    errors.push(invalid('type', event.type ?? '', 'has invalid value: '));
  if (Buffer.byteLength(asText(event.note)) > 1024)
    errors.push(invalid('note', '', 'can have at most 1024 characters'));
  if (isObject(event.series) && Number(event.series.count) < 2)
    errors.push(invalid('series.count', event.series.count ?? 0, 'should be at least 2'));
  return errors;
}
