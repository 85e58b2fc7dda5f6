import { expect } from 'chai';
import type { RegionDefinition } from '../../../src/registry/port.ts';
import { Regions, type Region } from '../../../src/registry/ibm-iam/regions.ts';

const resolveRegion = (name: string, regions: RegionDefinition[]): Region | undefined =>
  new Regions({ regions }).find(name);
const regionNames = (regions: RegionDefinition[]): string[] => new Regions({ regions }).names;

describe('regions', () => {
  const builtIn: [string, string, string][] = [
    ['us-south', 'us-south', 'us.icr.io'],
    ['us-east', 'us-south', 'us.icr.io'],
    ['eu-de', 'eu-de', 'de.icr.io'],
    ['eu-central', 'eu-de', 'de.icr.io'],
    ['eu-gb', 'eu-gb', 'uk.icr.io'],
    ['uk-south', 'eu-gb', 'uk.icr.io'],
    ['au-syd', 'au-syd', 'au.icr.io'],
    ['ap-south', 'au-syd', 'au.icr.io'],
    ['jp-tok', 'jp-tok', 'jp.icr.io'],
    ['ap-north', 'jp-tok', 'jp.icr.io'],
    ['jp-osa', 'jp-osa', 'jp2.icr.io'],
    ['br-sao', 'br-sao', 'br.icr.io'],
    ['ca-tor', 'ca-tor', 'ca.icr.io'],
    ['ca-mon', 'ca-mon', 'ca2.icr.io'],
    ['eu-es', 'eu-es', 'es.icr.io'],
    ['eu-fr2', 'eu-fr2', 'fr2.icr.io'],
    ['in-che', 'in-che', 'in.icr.io'],
    ['in-mum', 'in-mum', 'in2.icr.io'],
    ['global', 'global', 'icr.io'],
  ];
  for (const [asked, name, host] of builtIn) {
    it(`${asked} is ${name} at ${host}`, () => {
      expect(resolveRegion(asked, [])).to.deep.equal({ name, host, endpoint: `https://${host}` });
    });
  }

  for (const name of ['', 'mars', 'toString', '__proto__', 'US-SOUTH']) {
    it(`does not know ${JSON.stringify(name)}`, () => {
      expect(resolveRegion(name, [])).to.equal(undefined);
    });
  }

  it('takes what the account defines, in place of or besides the built-in ones', () => {
    const own = [
      { name: 'us-south', host: 'registry.ng.bluemix.net' },
      { name: 'lab', host: 'lab.example:5000', endpoint: 'http://lab.example:8080/base' },
      { name: 'bare', host: 'bare.example', endpoint: '' },
    ];
    const bluemix = {
      name: 'us-south',
      host: 'registry.ng.bluemix.net',
      endpoint: 'https://registry.ng.bluemix.net',
    };
    expect(resolveRegion('us-south', own)).to.deep.equal(bluemix);
    expect(resolveRegion('us-east', own), 'an alias follows').to.deep.equal(bluemix);
    expect(resolveRegion('lab', own)).to.deep.equal(own[1]);
    expect(resolveRegion('bare', own)?.endpoint).to.equal('https://bare.example');
    expect(resolveRegion('eu-de', own)?.host).to.equal('de.icr.io');
  });

  it('prefers a region of that very name to an alias', () => {
    const own = [{ name: 'us-east', host: 'east.example' }];
    expect(resolveRegion('us-east', own)?.host).to.equal('east.example');
  });

  it('lists names once, in order, without aliases', () => {
    const names = regionNames([
      { name: 'lab', host: 'lab.example' },
      { name: 'eu-de', host: 'x.example' },
    ]);
    expect(names).to.deep.equal([...names].sort());
    expect(names.filter((name) => name === 'eu-de')).to.have.length(1);
    expect(names).to.include('lab').and.not.to.include('us-east');
    expect(regionNames([])).to.have.length(14);
  });

  describe('of an account whose API key is exchanged at', () => {
    const services: [iamEndpoint: string, builtIn: boolean][] = [
      ['https://iam.cloud.ibm.com', true],
      ['https://private.iam.cloud.ibm.com/identity', true],
      ['https://iam.example', false],
      ['https://cloud.ibm.com.example', false],
      ['https://notcloud.ibm.com', false],
      ['http://iam.cloud.ibm.com', false],
      ['https://iam.cloud.ibm.com:8443', false],
      ['http://127.0.0.1:8080', false],
      ['nonsense', false],
    ];
    const own = [
      { name: 'us-south', host: 'south.example' },
      { name: 'lab', host: 'lab.example' },
    ];
    for (const [iamEndpoint, all] of services)
      it(`${iamEndpoint} ${all ? 'have the built-in ones beside its own' : 'are its own only'}`, () => {
        const regions = new Regions({ iamEndpoint, regions: own });
        expect(regions.find('eu-de') !== undefined).to.equal(all);
        expect(regions.find('us-east') !== undefined, 'an alias').to.equal(all);
        expect(regions.find('us-south')?.host).to.equal('south.example');
        expect(regions.names.length).to.equal(all ? 15 : 2);
        expect(regions.all.map(({ name }) => name)).to.deep.equal(regions.names);
      });
  });
});
