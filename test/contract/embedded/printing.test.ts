import { expect } from 'chai';
import { compileJsonPath } from '../../../sandbox/apiserver/table/json-path.ts';
import { humanDuration } from '../../../sandbox/apiserver/time-text.ts';
import type { Json } from '../../../sandbox/apiserver/json.ts';

describe('what tables of the embedded API server show', () => {
  const object: Json = {
    list: [
      { type: 'Ready', status: 'True', weight: 1 },
      { type: 'Other', status: 'False', weight: 5 },
    ],
    map: { 'a.b': 1, c: 2 },
  };
  const paths: [string, Json[]][] = [
    ['.list[0].type', ['Ready']],
    ['.list[-1].type', ['Other']],
    ['.list[9].type', []],
    ['.list[*].status', ['True', 'False']],
    ['.list[?(@.type=="Other")].status', ['False']],
    [".list[?(@.type == 'Other')].status", ['False']],
    ['.list[?(@.type!="Other")].status', ['True']],
    ['.list[?(@.weight>1)].type', ['Other']],
    ['.list[?(@.weight<=1)].type', ['Ready']],
    ['.map.a\\.b', [1]],
    [".map['a.b']", [1]],
    ['.map.none.deeper', []],
  ];
  for (const [path, expected] of paths)
    it(`${path} finds ${JSON.stringify(expected)}`, () => {
      expect(compileJsonPath(path)(object)).to.deep.equal(expected);
    });

  it('a path that cannot be read is refused', () => {
    expect(() => compileJsonPath('.list[?(')).to.throw('cannot be read');
  });

  const [second, minute, hour, day] = [1_000, 60_000, 3_600_000, 86_400_000];
  const ages: [number, string][] = [
    [-5 * second, '<invalid>'],
    [0, '0s'],
    [119 * second, '119s'],
    [2 * minute, '2m'],
    [9 * minute + 5 * second, '9m5s'],
    [10 * minute + 5 * second, '10m'],
    [179 * minute, '179m'],
    [3 * hour, '3h'],
    [7 * hour + 30 * minute, '7h30m'],
    [47 * hour, '47h'],
    [2 * day, '2d'],
    [7 * day + 5 * hour, '7d5h'],
    [8 * day + 5 * hour, '8d'],
    [729 * day, '729d'],
    [730 * day, '2y'],
    [800 * day, '2y70d'],
    [9 * 365 * day, '9y'],
  ];
  for (const [milliseconds, expected] of ages)
    it(`an age of ${milliseconds} ms shows as ${expected}`, () => {
      expect(humanDuration(milliseconds)).to.equal(expected);
    });
});
