import { invalid, required, type FieldError } from '../field-error.ts';
import { asObject, asText, isObject, type Json, type JsonObject } from '../json.ts';
import { qualifiedNameFault } from '../metadata.ts';
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
  domainFinalizers: false,
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
  validate: (event) => validateCore(event, 'reportingComponent'),
});

/** events.k8s.io/v1: the same objects under other names. */
export const eventsV1 = builtinType({
  ...common,
  shortNames: ['ev'],
  model: 'EventsV1Event',
  group: 'events.k8s.io',
  domainFinalizers: true,
  collection: coreEvents.collection,
  columns: columns.map((one) => ({ ...one, cell: (event, now) => one.cell(toCore(event), now) })),
  selectableFields: (event) => ({
    ...referenceFields('regarding', asObject(event.regarding)),
    ...commonFields(toCore(event)),
  }),
  validate: (event, old) => [
    ...validateCore(toCore(event), 'reportingController'),
    ...(old ? [] : validateNew(event)),
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

/** Checks an event in its core form (k8s.io/kubernetes/pkg/apis/core/validation, legacyValidateEvent). */
function validateCore(event: JsonObject, controllerField: string): FieldError[] {
  const namespace = asText(asObject(event.metadata).namespace);
  const about = asText(asObject(event.involvedObject).namespace);
  const isNew = Boolean(event.eventTime);
  const homes = isNew ? ['default', 'kube-system'] : ['default'];
  const fits = about === '' ? homes.includes(namespace) : isNew || about === namespace;
  return [
    ...(fits ? [] : [invalid('involvedObject.namespace', about, 'does not match event.namespace')]),
    ...(isNew ? validateReport(event, controllerField) : []),
  ];
}

/** Events with an eventTime say who reported what. */
function validateReport(event: JsonObject, controllerField: string): FieldError[] {
  const controller = asText(event.reportingComponent);
  const errors = controller === '' ? [required(controllerField)] : [];
  const fault = qualifiedNameFault(controller);
  if (fault) errors.push(invalid(controllerField, controller, fault));
  for (const field of ['reportingInstance', 'action', 'reason']) {
    const text = asText(event[field]);
    if (text === '') errors.push(required(field));
    if (text.length > 128) errors.push(invalid(field, '', 'can have at most 128 characters'));
  }
  if (asText(event.message).length > 1024)
    errors.push(invalid('message', '', 'can have at most 1024 characters'));
  return errors;
}

/** What events.k8s.io/v1 asks of a new event besides (ValidateEventCreate). */
function validateNew(event: JsonObject): FieldError[] {
  const errors: FieldError[] = event.eventTime ? [] : [required('eventTime')];
  if (event.type !== 'Normal' && event.type !== 'Warning')
    errors.push(invalid('type', '', `has invalid value: ${asText(event.type)}`));
  if (isObject(event.series) && Number(event.series.count) < 2)
    errors.push(invalid('series.count', '', 'should be at least 2'));
  return errors;
}
