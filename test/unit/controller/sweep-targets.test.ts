import { expect } from 'chai';
import { sweepTargets } from '../../../src/controller/sweep/sweep-targets.ts';
import { anAccount, anIssuedToken, aRecord } from '../../support/builders.ts';

const region = (name: string, endpoint = `https://${name}.example`) => ({
  name,
  host: 'h.example',
  endpoint,
});
const account = (defaultRegion: string, ...regions: ReturnType<typeof region>[]) =>
  anAccount({ spec: { ibmRegistryTokens: { iamEndpoint: 'https://iam.example' }, defaultRegion, regions } });
const NONE: ReadonlySet<string> = new Set();

describe('the endpoints of an account that are swept', () => {
  it('are each there once, by the default region where that leads there, else by the first', () => {
    const same = 'https://same.example';
    const regions = [
      region('a', same),
      region('b', same),
      region('d', 'https://d.example'),
      region('c', 'https://d.example'),
    ];
    const targets = sweepTargets(account('b', ...regions), [], NONE);
    expect(targets.map((target) => [target.endpoint, target.region])).to.deep.equal([
      [same, 'b'],
      ['https://d.example', 'c'],
    ]);
  });

  it('begin with those that something in the cluster points to, or where something is left', () => {
    const builtIn = anAccount();
    const named = (open: string[], ...tokens: ReturnType<typeof anIssuedToken>[]): string[] =>
      sweepTargets(builtIn, tokens, new Set(open)).flatMap((each) => (each.isNamed ? [each.region] : []));
    const all = sweepTargets(builtIn, [], NONE);
    const tokyo = all.find((each) => each.region === 'jp-tok');
    expect(all[0]).to.include({ region: 'us-south', isNamed: true });
    expect(named([])).to.deep.equal(['us-south']);
    expect(named([tokyo?.endpoint ?? ''])).to.deep.equal(['us-south', 'jp-tok']);
    const token = anIssuedToken({ status: { token: aRecord({ region: 'jp-tok' }) } });
    expect(named([], token)).to.deep.equal(['us-south', 'jp-tok']);
  });

  it('are none where the account names no registry', () => {
    expect(sweepTargets(anAccount({ spec: { ibmRegistryTokens: undefined } }), [], NONE)).to.deep.equal([]);
  });
});
