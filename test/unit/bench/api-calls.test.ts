import { expect } from 'chai';
import { callsBetween, readApiCalls, sumOf } from '../../../bench/measure/api-calls.ts';

const line = (labels: string, count: string): string => `apiserver_request_total{${labels}} ${count}`;
const patch = (subresource: string, code = '200'): string =>
  `code="${code}",component="apiserver",group="pullsecrets.dev",resource="registrytokens",scope="resource",subresource="${subresource}",verb="PATCH",version="v1alpha1"`;

describe('readApiCalls', () => {
  it('counts calls by verb, resource and subresource, whatever their status was', () => {
    const calls = readApiCalls([
      '# HELP apiserver_request_total [STABLE] Counter of apiserver requests',
      line(patch('status'), '12'),
      line(patch('status', '409'), '3'),
      line(patch(''), '1e+06'),
    ]);
    expect(Object.fromEntries(calls)).to.deep.equal({
      'PATCH registrytokens/status': 15,
      'PATCH registrytokens': 1_000_000,
    });
  });

  it('leaves out what an operator has nothing to do with, and other metrics', () => {
    const core = (resource: string): string => `group="",resource="${resource}",subresource="",verb="LIST"`;
    const calls = readApiCalls([
      line(core('secrets'), '2'),
      line(core('endpoints'), '70'),
      line('group="apps",resource="deployments",subresource="",verb="LIST"', '9'),
      `apiserver_longrunning_gauge{${core('secrets')}} 5`,
    ]);
    expect(Object.fromEntries(calls)).to.deep.equal({ 'LIST secrets': 2 });
  });
});

describe('sumOf', () => {
  it('adds up what several servers counted', () => {
    const sum = sumOf([
      new Map([['GET secrets', 1]]),
      new Map([['GET secrets', 2]]),
      new Map([['LIST pods', 1]]),
    ]);
    expect(Object.fromEntries(sum)).to.deep.equal({ 'GET secrets': 3, 'LIST pods': 1 });
  });
});

describe('callsBetween', () => {
  it('gives what was asked between two readings, and nothing that was not', () => {
    const before = new Map([
      ['GET secrets', 5],
      ['LIST pods', 1],
    ]);
    const after = new Map([
      ['POST events', 2],
      ['LIST pods', 1],
      ['GET secrets', 7],
    ]);
    expect([...callsBetween(before, after)]).to.deep.equal([
      ['GET secrets', 2],
      ['POST events', 2],
    ]);
  });
});
