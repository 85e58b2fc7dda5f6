import { Environment } from '@marcbachmann/cel-js';
import { equal, type Json } from '../json.ts';

/** Kubernetes' extension functions that the CEL library lacks (k8s.io/apiserver/pkg/cel/library: lists, regex, urls). */
export function celEnvironment(): Environment {
  return new Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false })
    .registerFunction('list.isSorted(): bool', (list: Comparable[]) =>
      list.every((item, index) => index === 0 || (list[index - 1] ?? item) <= item),
    )
    .registerFunction('list.sum(): dyn', (list: bigint[]) => list.reduce((sum, item) => sum + item, 0n))
    .registerFunction('list.min(): dyn', (list: Comparable[]) =>
      list.reduce((left, right) => (right < left ? right : left)),
    )
    .registerFunction('list.max(): dyn', (list: Comparable[]) =>
      list.reduce((left, right) => (right > left ? right : left)),
    )
    .registerFunction('list.indexOf(dyn): int', (list: Json[], wanted: Json) =>
      BigInt(list.findIndex((item) => equal(item, wanted))),
    )
    .registerFunction('list.lastIndexOf(dyn): int', (list: Json[], wanted: Json) =>
      BigInt(list.findLastIndex((item) => equal(item, wanted))),
    )
    .registerFunction(
      'string.find(string): string',
      (text: string, pattern: string) => new RegExp(pattern, 'u').exec(text)?.[0] ?? '',
    )
    .registerFunction(
      'string.findAll(string): list',
      (text: string, pattern: string) => text.match(new RegExp(pattern, 'gu')) ?? [],
    )
    .registerFunction('isURL(string): bool', (text: string) => URL.canParse(text));
}

type Comparable = string | number | bigint;
