import { asObject, asText, type JsonObject } from './json.ts';
import { badRequest } from './status-error.ts';

export type Selector = (object: JsonObject) => boolean;

const NAME = '[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?';
const VALUE = '([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?';
const EQUALITY = new RegExp(`^(${NAME})\\s*(==|=|!=)\\s*(${VALUE})$`);
const SET = new RegExp(`^(${NAME})\\s+(in|notin)\\s*\\(([^()]*)\\)$`);
const EXISTENCE = new RegExp(`^(!?)\\s*(${NAME})$`);

/**
 * Reads a label selector, equality- and set-based (k8s.io/apimachinery/pkg/labels).
 * @throws StatusError 400 when it is not one
 */
export function labelSelector(text: string): Selector {
  const requirements = split(text).map(requirement);
  return (object) => {
    const labels = asObject(asObject(object.metadata).labels);
    return requirements.every((holds) => holds(labels));
  };
}

/** Splits at commas outside of parentheses. */
function split(text: string): string[] {
  const parts = text.split(/,(?![^(]*\))/).map((part) => part.trim());
  return parts.length === 1 && parts[0] === '' ? [] : parts;
}

function requirement(text: string): (labels: JsonObject) => boolean {
  const equality = EQUALITY.exec(text);
  if (equality) {
    const [, key = '', , operator, value = ''] = equality;
    return operator === '!=' ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
  }
  const set = SET.exec(text);
  if (set) {
    const [, key = '', , operator, list = ''] = set;
    const values = new Set(list.split(',').map((value) => value.trim()));
    const isIn = (labels: JsonObject): boolean =>
      Object.hasOwn(labels, key) && values.has(asText(labels[key]));
    return operator === 'in' ? isIn : (labels) => !isIn(labels);
  }
  const existence = EXISTENCE.exec(text);
  if (!existence)
    throw badRequest(`unable to parse requirement: ${JSON.stringify(text)} is not a label requirement`);
  const [, not, key = ''] = existence;
  return (labels) => Object.hasOwn(labels, key) !== (not === '!');
}

/**
 * Reads a field selector over the fields a resource offers.
 * @param fieldsOf the selectable fields of an object
 * @throws StatusError 400 when it names another field
 */
export function fieldSelector(
  text: string,
  fieldsOf: (object: JsonObject) => Record<string, string>,
): Selector {
  const offered = Object.keys(fieldsOf({ metadata: {} }));
  const requirements = split(text).map((part) => {
    const match = /^([^=!]+)(==|=|!=)(.*)$/.exec(part);
    if (!match) throw badRequest(`invalid field selector: ${JSON.stringify(part)}`);
    const [, field = '', operator, value = ''] = match;
    if (!offered.includes(field)) throw badRequest(`field label not supported: ${field}`);
    return (fields: Record<string, string>): boolean => (fields[field] === value) === (operator !== '!=');
  });
  return (object) => {
    const fields = fieldsOf(object);
    return requirements.every((holds) => holds(fields));
  };
}
