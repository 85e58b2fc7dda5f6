/**
 * What faults a source file can have: comparisons at their boundary, conditions that always or never hold, statements that
 * are missing, other constants. Left out is what only changes a text for people: log lines, and strings with a space in them.
 */
import * as ts from 'typescript/unstable/ast';
import type { Shape } from './mutant.ts';

/** A fault at a place of a file. */
export interface Fault {
  start: number;
  end: number;
  replacement: string;
  shape: Shape;
}

const { SyntaxKind } = ts;

/** What an operator is mistaken for. */
const OPERATORS: Readonly<Record<string, readonly string[]>> = {
  '===': ['!=='],
  '!==': ['==='],
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '&&': ['||'],
  '||': ['&&'],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '%': ['*'],
  '+=': ['-='],
  '-=': ['+='],
  '??=': ['='],
};
/** Operators of which one side alone is a fault of its own. */
const EITHER_SIDE = new Set(['&&', '||', '??']);
/** Methods that are mistaken for each other. */
const METHODS: Readonly<Record<string, string>> = {
  some: 'every',
  every: 'some',
  startsWith: 'endsWith',
  endsWith: 'startsWith',
  min: 'max',
  max: 'min',
  find: 'findLast',
};
/** Methods that can be left out: what they are called on has the type of what they give. */
const OMISSIBLE = new Set([
  'filter',
  'slice',
  'sort',
  'toSorted',
  'reverse',
  'trim',
  'toLowerCase',
  'concat',
]);
/** What may be returned instead of something of a type. */
const RESULTS: readonly [type: RegExp, others: readonly string[]][] = [
  [/^(boolean|true|false)$/, ['true', 'false']],
  [/^(string$|")/, ["''"]],
  [/^(number|\d+)$/, ['0']],
  [/\[\]$/, ['[]']],
  [/^(Readonly)?Set</, ['new Set()']],
  [/^(Readonly)?Map</, ['new Map()']],
  [/^/, ['undefined']],
];

const LOG_CALL = /(^|[.#])(log|logger)\.(debug|info|warn|error)$/;
/** A list of more constants than that is data. */
const MAX_CONSTANTS = 5;
/** Properties that hold text for people. */
const TEXTS = new Set(['message', 'note', 'description', 'help']);

/**
 * Every fault of a file, in the order of its text. Many do not compile.
 * @param typeOf the type of an expression, as the compiler writes it
 */
export function faultsOf(file: ts.SourceFile, typeOf: (expression: ts.Expression) => string): Fault[] {
  const faults: Fault[] = [];
  const text = (node: ts.Node): string => file.text.slice(node.getStart(file), node.end);
  const visit = (node: ts.Node): void => {
    if (isLeftOut(node, text)) return;
    for (const [of, replacement, shape = 'expression'] of [
      ...faultsAt(node, text),
      ...results(node, typeOf),
    ]) {
      if (replacement === text(of)) continue;
      faults.push({
        start: of.getStart(file),
        end: of.end,
        replacement: shape === 'expression' ? `(${replacement})` : replacement,
        shape,
      });
    }
    node.forEachChild((child) => {
      if (!isName(child, node)) visit(child);
    });
  };
  visit(file);
  return faults;
}

type Text = (node: ts.Node) => string;
type Replaced = readonly [of: ts.Node, replacement: string, shape?: Shape];

function isLeftOut(node: ts.Node, text: Text): boolean {
  if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return true;
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return true;
  if (ts.isExpressionStatement(node) && ts.isCallExpression(node.expression)) {
    return LOG_CALL.test(text(node.expression.expression));
  }
  return isText(node) || isData(node) || (ts.isPropertyAssignment(node) && TEXTS.has(text(node.name)));
}

/** Whether it is a list of constants, such as the buckets of a histogram. */
function isData(node: ts.Node): boolean {
  return (
    ts.isArrayLiteralExpression(node) &&
    node.elements.length > MAX_CONSTANTS &&
    node.elements.every((element) => ts.isNumericLiteral(element) || ts.isStringLiteral(element))
  );
}

/** Whether it gives text for people. */
function isText(node: ts.Node): boolean {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text.includes(' ');
  if (ts.isTemplateExpression(node)) {
    return [node.head, ...node.templateSpans.map(({ literal }) => literal)].some(({ text: part }) =>
      part.includes(' '),
    );
  }
  return ts.isConditionalExpression(node) && (isText(node.whenTrue) || isText(node.whenFalse));
}

function isFunction(node: ts.Node): boolean {
  return (
    ts.isFunctionDeclaration(node) ||
    ts.isFunctionExpression(node) ||
    ts.isArrowFunction(node) ||
    ts.isMethodDeclaration(node)
  );
}

/** Whether a child only names a property. */
function isName(child: ts.Node, parent: ts.Node): boolean {
  return 'name' in parent && parent.name === child && !ts.isComputedPropertyName(child);
}

function* faultsAt(node: ts.Node, text: Text): Generator<Replaced> {
  yield* operators(node, text);
  yield* conditions(node, text);
  yield* statements(node, text);
  yield* constants(node, text);
  yield* parts(node, text);
  yield* methods(node, text);
}

function* operators(node: ts.Node, text: Text): Generator<Replaced> {
  if (ts.isBinaryExpression(node)) {
    const [left, operator, right] = [text(node.left), text(node.operatorToken), text(node.right)];
    for (const other of OPERATORS[operator] ?? []) yield [node, `${left} ${other} ${right}`];
    if (EITHER_SIDE.has(operator)) {
      yield [node, left];
      yield [node, right];
    }
  } else if (ts.isPrefixUnaryExpression(node) && node.operator === SyntaxKind.ExclamationToken) {
    yield [node, text(node.operand)];
  } else if (ts.isPostfixUnaryExpression(node)) {
    yield [node, text(node.operand) + (node.operator === SyntaxKind.PlusPlusToken ? '--' : '++')];
  }
}

function* conditions(node: ts.Node, text: Text): Generator<Replaced> {
  if (ts.isIfStatement(node)) yield* decided(node.expression, text);
  if (ts.isConditionalExpression(node)) yield* decided(node.condition, text);
  // One that always held would go on for ever.
  if (ts.isWhileStatement(node)) yield [node.expression, 'false'];
  if (ts.isForStatement(node) && node.condition) yield [node.condition, 'false'];
}

function* decided(condition: ts.Node, text: Text): Generator<Replaced> {
  yield [condition, 'true'];
  yield [condition, 'false'];
  if (!ts.isBinaryExpression(condition)) yield [condition, `!(${text(condition)})`];
}

function* statements(node: ts.Node, text: Text): Generator<Replaced> {
  if (ts.isExpressionStatement(node)) {
    yield [node, ';', 'statement'];
    if (ts.isAwaitExpression(node.expression)) {
      yield [node, `void ${text(node.expression.expression)};`, 'statement'];
    }
  }
  const isExit = ts.isReturnStatement(node) && !node.expression;
  const isJump = ts.isThrowStatement(node) || ts.isContinueStatement(node) || ts.isBreakStatement(node);
  if (isExit || isJump || ts.isForOfStatement(node)) yield [node, ';', 'statement'];
  if (ts.isBlock(node) && isFunction(node.parent) && node.statements.length > 1) {
    yield [node, '{}', 'block'];
  }
}

function* results(node: ts.Node, typeOf: (expression: ts.Expression) => string): Generator<Replaced> {
  const result = ts.isReturnStatement(node)
    ? node.expression
    : ts.isArrowFunction(node) && !ts.isBlock(node.body)
      ? node.body
      : undefined;
  if (!result || isText(result)) return;
  const type = typeOf(result);
  for (const other of RESULTS.find(([pattern]) => pattern.test(type))?.[1] ?? []) yield [result, other];
}

function* constants(node: ts.Node, text: Text): Generator<Replaced> {
  if (ts.isNumericLiteral(node)) {
    const value = Number(text(node).replaceAll('_', ''));
    yield [node, value === 0 ? '1' : '0'];
    if (value !== 0) yield [node, String(2 * value)];
  }
  if (node.kind === SyntaxKind.TrueKeyword) yield [node, 'false'];
  if (node.kind === SyntaxKind.FalseKeyword) yield [node, 'true'];
  if (ts.isStringLiteral(node) || ts.isTemplateExpression(node)) yield [node, "''"];
}

/** Elements and properties that are missing. */
function* parts(node: ts.Node, text: Text): Generator<Replaced> {
  // What is assigned to is no list.
  if (
    ts.isArrayLiteralExpression(node) &&
    !(ts.isBinaryExpression(node.parent) && node.parent.left === node)
  ) {
    for (const gone of node.elements) yield [node, `[${without(node.elements, gone, text)}]`];
  }
  if (ts.isObjectLiteralExpression(node)) {
    for (const gone of node.properties) {
      if (!isLeftOut(gone, text)) yield [node, `{${without(node.properties, gone, text)}}`];
    }
  }
}

function without(nodes: readonly ts.Node[], gone: ts.Node, text: Text): string {
  return nodes
    .filter((node) => node !== gone)
    .map(text)
    .join(', ');
}

function* methods(node: ts.Node, text: Text): Generator<Replaced> {
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return;
  // Parentheses would end what `?.` skips.
  if (text(node).includes('?.')) return;
  const { expression: of, name } = node.expression;
  const other = METHODS[text(name)];
  if (other !== undefined) yield [node, `${text(of)}.${other}(${node.arguments.map(text).join(', ')})`];
  if (OMISSIBLE.has(text(name))) yield [node, text(of)];
}
