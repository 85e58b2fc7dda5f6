import { forbidden, invalid, required, type FieldError } from './field-error.ts';
import { asList, asObject, asText, equal, type JsonObject } from './json.ts';
import type { ResourceType } from './resource-type.ts';

const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const QUALIFIED =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const ANNOTATIONS_LIMIT = 256 * 1024;

/** What is wrong with a name that must be a DNS subdomain; undefined when nothing is. */
export function subdomainFault(name: string): string | undefined {
  if (name.length > 253) return 'must be no more than 253 bytes';
  return /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name)
    ? undefined
    : SUBDOMAIN;
}

/** What is wrong with a name that must be a DNS label, as those of namespaces. */
export function labelFault(name: string): string | undefined {
  if (name.length > 63) return 'must be no more than 63 bytes';
  return /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name) ? undefined : LABEL;
}

/** What is wrong with a label key, annotation key or finalizer. */
export function qualifiedNameFault(text: string): string | undefined {
  const [first = '', second, ...more] = text.split('/');
  if (more.length > 0)
    return "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character with an optional DNS subdomain prefix and '/'";
  const name = second ?? first;
  if (second !== undefined) {
    const fault = first === '' ? 'must be non-empty' : subdomainFault(first);
    if (fault) return `prefix part ${fault}`;
  }
  if (name === '') return 'name part must be non-empty';
  if (name.length > 63) return 'name part must be no more than 63 bytes';
  return /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/.test(name) ? undefined : QUALIFIED;
}

/** Checks metadata as every kind has it (k8s.io/apimachinery/pkg/api/validation, ValidateObjectMeta). */
export function validateMetadata(
  metadata: JsonObject,
  { nameFault, domainFinalizers }: Pick<ResourceType, 'nameFault' | 'domainFinalizers'>,
): FieldError[] {
  const name = asText(metadata.name);
  const fault = name === '' ? undefined : nameFault(name);
  return [
    ...(name === '' ? [required('metadata.name', 'name or generateName is required')] : []),
    ...(fault ? [invalid('metadata.name', name, fault)] : []),
    ...validateLabels(asObject(metadata.labels), 'metadata.labels'),
    ...validateAnnotations(asObject(metadata.annotations)),
    ...validateOwners(asList(metadata.ownerReferences).map(asObject)),
    ...validateFinalizers(asList(metadata.finalizers).map(asText), domainFinalizers),
  ];
}

export function validateLabels(labels: JsonObject, field: string): FieldError[] {
  return Object.entries(labels).flatMap(([key, value]) => {
    const keyFault = qualifiedNameFault(key);
    const text = asText(value);
    const valueFault =
      text.length > 63
        ? 'must be no more than 63 bytes'
        : /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/.test(text)
          ? undefined
          : LABEL_VALUE;
    return [
      ...(keyFault ? [invalid(field, key, keyFault)] : []),
      ...(valueFault ? [invalid(field, text, valueFault)] : []),
    ];
  });
}

function validateAnnotations(annotations: JsonObject): FieldError[] {
  const errors = Object.keys(annotations).flatMap((key) => {
    const fault = qualifiedNameFault(key.toLowerCase());
    return fault ? [invalid('metadata.annotations', key, fault)] : [];
  });
  const size = Object.entries(annotations).reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(asText(value)),
    0,
  );
  if (size > ANNOTATIONS_LIMIT)
    errors.push({
      type: 'FieldValueTooLong',
      field: 'metadata.annotations',
      detail: `may not be more than ${ANNOTATIONS_LIMIT} bytes`,
    });
  return errors;
}

function validateOwners(owners: readonly JsonObject[]): FieldError[] {
  const errors = owners.flatMap((owner, index) =>
    ['apiVersion', 'kind', 'name', 'uid'].flatMap((key) =>
      asText(owner[key]) === ''
        ? [
            invalid(
              `metadata.ownerReferences.${key}`,
              owners[index]?.[key] ?? '',
              `${key === 'apiVersion' ? 'version' : key} must not be empty`,
            ),
          ]
        : [],
    ),
  );
  const controllers = owners.filter((owner) => owner.controller === true);
  if (controllers.length > 1)
    errors.push(
      invalid(
        'metadata.ownerReferences',
        controllers.map((owner) => owner.uid ?? ''),
        `Only one reference can have Controller set to true. Found "true" in references for ${controllers.map((owner) => `${asText(owner.kind)}/${asText(owner.name)}`).join(' and ')}`,
      ),
    );
  return errors;
}

const STANDARD_FINALIZERS = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);

/** Every kind takes qualified names only; the core's also ask for a domain (k8s.io/kubernetes/pkg/apis/core/validation). */
function validateFinalizers(finalizers: readonly string[], domainNeeded: boolean): FieldError[] {
  return finalizers.flatMap((finalizer, index) => {
    const fault = qualifiedNameFault(finalizer);
    if (fault) return [invalid('metadata.finalizers', finalizer, fault)];
    if (!domainNeeded || finalizer.includes('/') || STANDARD_FINALIZERS.has(finalizer)) return [];
    const why = 'name is neither a standard finalizer name nor is it fully qualified';
    return [invalid(`metadata.finalizers[${index}]`, finalizer, why)];
  });
}

/** Checks what an update may not change (ValidateObjectMetaUpdate). */
export function validateMetadataUpdate(metadata: JsonObject, old: JsonObject): FieldError[] {
  const added = asList(metadata.finalizers).filter((item) => !asList(old.finalizers).includes(item));
  const errors: FieldError[] = [];
  if (old.deletionTimestamp !== undefined && added.length > 0) {
    const list = added.map((item) => JSON.stringify(item)).join(', ');
    errors.push(
      forbidden(
        'metadata.finalizers',
        `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`,
      ),
    );
  }
  for (const key of ['name', 'namespace', 'uid', 'creationTimestamp'])
    if (!equal(metadata[key], old[key]))
      errors.push(invalid(`metadata.${key}`, metadata[key], 'field is immutable'));
  return errors;
}
