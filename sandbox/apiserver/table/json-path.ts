import { isObject, type Json } from '../json.ts';

type Step =
  | { kind: 'field'; name: string }
  | { kind: 'index'; index: number }
  | { kind: 'all' }
  | { kind: 'filter'; path: Step[]; operator: string; value: Json };

/** The part of a JSONPath that the pattern matched so far did not take. */
const TOKEN =
  /^(?:\.?\[\?\(@((?:\.[^=!<>\s]+)+?)\s*(==|!=|<=|>=|<|>)\s*("[^"]*"|'[^']*'|[^)\s]+)\s*\)\]|\[(-?\d+)\]|\[\*\]|\.\*|\['([^']*)'\]|\.((?:[^.[\]\\]|\\.)+))/;

/** A JSONPath as printer columns use it (k8s.io/client-go/util/jsonpath): all matching values, in order. */
export function compileJsonPath(path: string): (value: Json) => Json[] {
  const steps = readSteps(path);
  return (value) =>
    steps.reduce<Json[]>((values, step) => values.flatMap((item) => follow(step, item)), [value]);
}

function readSteps(path: string): Step[] {
  const steps: Step[] = [];
  for (let rest = path; rest !== '';) {
    const match = TOKEN.exec(rest);
    if (!match) throw new Error(`JSONPath ${JSON.stringify(path)} cannot be read at ${JSON.stringify(rest)}`);
    const [text, filter, operator = '', literal = '', index, quoted, name] = match;
    if (filter !== undefined)
      steps.push({ kind: 'filter', path: readSteps(filter), operator, value: readLiteral(literal) });
    else if (index !== undefined) steps.push({ kind: 'index', index: Number(index) });
    else if (quoted !== undefined || name !== undefined)
      steps.push({ kind: 'field', name: (quoted ?? name ?? '').replaceAll('\\.', '.') });
    else steps.push({ kind: 'all' });
    rest = rest.slice(text.length);
  }
  return steps;
}

function readLiteral(text: string): Json {
  if (/^['"]/.test(text)) return text.slice(1, -1);
  if (text === 'true' || text === 'false') return text === 'true';
  return Number.isNaN(Number(text)) ? text : Number(text);
}

function follow(step: Step, value: Json): Json[] {
  switch (step.kind) {
    case 'field': {
      const found = isObject(value) && Object.hasOwn(value, step.name) ? value[step.name] : undefined;
      return found === undefined ? [] : [found];
    }
    case 'index': {
      const found = Array.isArray(value) ? value.at(step.index) : undefined;
      return found === undefined ? [] : [found];
    }
    case 'all':
      return members(value);
    case 'filter':
      return members(value).filter((item) => {
        const [found] = step.path.reduce<Json[]>(
          (values, inner) => values.flatMap((one) => follow(inner, one)),
          [item],
        );
        return found !== undefined && holds(found, step.operator, step.value);
      });
  }
}

function members(value: Json): Json[] {
  if (Array.isArray(value)) return value;
  return isObject(value) ? Object.values(value) : [];
}

function holds(left: Json, operator: string, right: Json): boolean {
  if (operator === '==') return left === right;
  if (operator === '!=') return left !== right;
  if (typeof left !== typeof right || (typeof left !== 'number' && typeof left !== 'string')) return false;
  const order = left < (right as typeof left) ? -1 : Number(left > (right as typeof left));
  return operator.startsWith('<')
    ? order < 0 || (operator === '<=' && order === 0)
    : order > 0 || (operator === '>=' && order === 0);
}
