import { expect } from 'chai';
import { matchesSelector, type LabelSelector } from '../../../src/api/syntax/label-selector.ts';

type Expressions = NonNullable<LabelSelector['matchExpressions']>;
type Operator = Expressions[number]['operator'];

const select = (key: string, operator: Operator, ...values: string[]): LabelSelector => ({
  matchExpressions: [{ key, operator, values }],
});

describe('a label selector', () => {
  const labels = { team: 'red', tier: 'gold', empty: '' };
  const rows: [string, LabelSelector, boolean][] = [
    ['empty', {}, true],
    ['with empty parts', { matchLabels: {}, matchExpressions: [] }, true],
    ['of a label that matches', { matchLabels: { team: 'red' } }, true],
    ['of a label with another value', { matchLabels: { team: 'blue' } }, false],
    ['of a label that is absent', { matchLabels: { stage: 'red' } }, false],
    ['of an empty value', { matchLabels: { empty: '' } }, true],
    ['of an empty value that is absent', { matchLabels: { stage: '' } }, false],
    ['of two labels, one of which matches', { matchLabels: { team: 'red', tier: 'tin' } }, false],
    ['In, with the value', select('team', 'In', 'blue', 'red'), true],
    ['In, without it', select('team', 'In', 'blue'), false],
    ['In, with no values', select('team', 'In'), false],
    ['In, label absent', select('stage', 'In', 'red'), false],
    ['NotIn, with the value', select('team', 'NotIn', 'red'), false],
    ['NotIn, without it', select('team', 'NotIn', 'blue'), true],
    ['NotIn, label absent', select('stage', 'NotIn', 'red'), true],
    ['Exists', select('empty', 'Exists'), true],
    ['Exists, label absent', select('stage', 'Exists'), false],
    ['DoesNotExist', select('stage', 'DoesNotExist'), true],
    ['DoesNotExist, label there', select('team', 'DoesNotExist'), false],
    [
      'of a label and an expression that fails',
      { matchLabels: { team: 'red' }, ...select('tier', 'NotIn', 'gold') },
      false,
    ],
    ['of a key that every object inherits', select('constructor', 'Exists'), false],
    ['with an operator from the future', select('team', 'Like' as Operator, 'red'), false],
  ];
  for (const [name, selector, matches] of rows) {
    it(`${name}: ${matches ? 'matches' : 'does not match'}`, () => {
      expect(matchesSelector(selector, labels)).to.equal(matches);
    });
  }
});
