import { expect } from 'chai';
import type { Places } from '../../../../src/registry/port.ts';
import { ECR } from '../../../../src/registry/ecr/ecr.ts';
import { homeRegion, partitionIdOf, regionOf, tokenServiceOf } from '../../../../src/registry/ecr/regions.ts';

const BLOCK = { registryId: '123456789012' };

const namesOf = ({ all }: Places): string[] => all.map(({ region }) => region);

describe('the registries of an ECR account', () => {
  const hosts: [region: string, host: string, endpoint: string, partition: string][] = [
    [
      'us-east-1',
      '123456789012.dkr.ecr.us-east-1.amazonaws.com',
      'https://api.ecr.us-east-1.amazonaws.com',
      'aws',
    ],
    [
      'ap-southeast-7',
      '123456789012.dkr.ecr.ap-southeast-7.amazonaws.com',
      'https://api.ecr.ap-southeast-7.amazonaws.com',
      'aws',
    ],
    [
      'cn-north-1',
      '123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn',
      'https://api.ecr.cn-north-1.amazonaws.com.cn',
      'aws-cn',
    ],
    [
      'us-gov-west-1',
      '123456789012.dkr.ecr.us-gov-west-1.amazonaws.com',
      'https://api.ecr.us-gov-west-1.amazonaws.com',
      'aws-us-gov',
    ],
    [
      'eusc-de-east-1',
      '123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu',
      'https://api.ecr.eusc-de-east-1.amazonaws.eu',
      'aws-eusc',
    ],
    [
      'us-isob-east-1',
      '123456789012.dkr.ecr.us-isob-east-1.sc2s.sgov.gov',
      'https://api.ecr.us-isob-east-1.sc2s.sgov.gov',
      'aws-iso-b',
    ],
  ];
  for (const [region, host, endpoint, partition] of hosts) {
    it(`in ${region} is ${host}`, () => {
      expect(ECR.places(BLOCK, []).resolve(region)).to.deep.equal({ region, host, endpoint });
      expect(partitionIdOf(region)).to.equal(partition);
    });
  }

  const isolated: [region: string, domain: string, partition: string][] = [
    ['us-iso-east-1', 'c2s.ic.gov', 'aws-iso'],
    ['us-isob-east-1', 'sc2s.sgov.gov', 'aws-iso-b'],
    ['eu-isoe-west-1', 'cloud.adc-e.uk', 'aws-iso-e'],
    ['us-isof-south-1', 'csp.hci.ic.gov', 'aws-iso-f'],
  ];
  for (const [region, domain, partition] of isolated) {
    it(`in the isolated ${region} are below ${domain}, and verified there`, () => {
      expect(ECR.places(BLOCK, []).resolve(region)?.endpoint).to.equal(`https://api.ecr.${region}.${domain}`);
      expect(partitionIdOf(region)).to.equal(partition);
      expect(homeRegion({ roleArn: `arn:${partition}:iam::123456789012:role/x` }, undefined)).to.equal(
        region,
      );
    });
  }

  it('are in regions that are not known yet, if they are named as AWS names regions', () => {
    const places = ECR.places(BLOCK, []);
    expect(namesOf(places)).not.to.include('eu-west-9');
    expect(places.resolve('eu-west-9')?.host).to.equal('123456789012.dkr.ecr.eu-west-9.amazonaws.com');
    for (const name of [
      '',
      'us-south',
      'eu-west-1.evil.example',
      'EU-WEST-1',
      'eu-west-1/',
      'us-east-1\n',
      'xx-east-1',
    ])
      expect(places.resolve(name), name).to.equal(undefined);
  });

  it('are all told by name, and each of them is there', () => {
    const places = ECR.places(BLOCK, []);
    expect(namesOf(places)).to.have.lengthOf.at.least(30);
    expect(namesOf(places)).to.deep.equal([...namesOf(places)].sort());
    for (const name of namesOf(places)) expect(places.resolve(name), name).to.include({ region: name });
    expect(places.defaultRegion).to.equal('us-east-1');
    expect(places.resolve(undefined)).to.deep.equal(places.resolve('us-east-1'));
  });

  it('are those that the account declares before those of AWS', () => {
    const declared = [
      { name: 'eu-west-1', host: 'registry.example:5000', endpoint: 'https://api.example/ecr/' },
      { name: 'lab', host: 'lab.example' },
    ];
    const places = ECR.places(BLOCK, declared);
    expect(places.resolve('eu-west-1')).to.deep.equal({
      region: 'eu-west-1',
      host: 'registry.example:5000',
      endpoint: 'https://api.example/ecr',
    });
    expect(places.resolve('lab')).to.include({ endpoint: 'https://lab.example' });
    expect(places.defaultRegion).to.equal('eu-west-1');
    expect(namesOf(places)).to.include.members(['lab', 'eu-west-1', 'us-east-1']);
  });

  it("are only those that it declares, where its token service is not AWS's", () => {
    for (const stsEndpoint of [
      'http://127.0.0.1:4566',
      'https://sts.example',
      'http://sts.us-east-1.amazonaws.com',
      'https://amazonaws.com.example',
      'https://sts.us-east-1.amazonaws.com:8443',
      'nonsense',
    ]) {
      const places = ECR.places({ ...BLOCK, stsEndpoint }, [{ name: 'lab', host: 'lab.example' }]);
      expect(namesOf(places), stsEndpoint).to.deep.equal(['lab']);
      expect(places.resolve('us-east-1'), stsEndpoint).to.equal(undefined);
    }
    const fips = { ...BLOCK, stsEndpoint: 'https://sts-fips.us-east-1.amazonaws.com' };
    expect(ECR.places(fips, []).resolve('us-east-1')).to.be.an('object');
  });

  it('in public is one, without regions', () => {
    const places = ECR.places({ public: true }, []);
    expect(places.defaultRegion).to.equal(undefined);
    expect(namesOf(places)).to.deep.equal(['']);
    expect(places.resolve(undefined)).to.deep.equal({
      region: '',
      host: 'public.ecr.aws',
      endpoint: 'https://api.ecr-public.us-east-1.amazonaws.com',
    });
    expect(places.resolve('us-east-1')).to.equal(undefined);
    const elsewhere = ECR.places({ public: true, publicEndpoint: 'http://127.0.0.1:5000/' }, []);
    expect(elsewhere.resolve(undefined)).to.include({ endpoint: 'http://127.0.0.1:5000' });
  });
});

describe('the token service of an ECR account', () => {
  const services: [region: string, configured: string | undefined, endpoint: string, signedFor: string][] = [
    ['eu-west-1', undefined, 'https://sts.eu-west-1.amazonaws.com', 'eu-west-1'],
    ['cn-north-1', undefined, 'https://sts.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
    ['lab', 'http://127.0.0.1:1/', 'http://127.0.0.1:1', 'lab'],
    [
      'eu-west-1',
      'https://sts-fips.us-east-1.amazonaws.com',
      'https://sts-fips.us-east-1.amazonaws.com',
      'us-east-1',
    ],
    [
      'eu-west-1',
      'https://vpce-0a.sts.us-west-2.vpce.amazonaws.com/',
      'https://vpce-0a.sts.us-west-2.vpce.amazonaws.com',
      'us-west-2',
    ],
  ];
  for (const [region, configured, endpoint, signedFor] of services) {
    it(`for ${region} is ${endpoint}, whose requests are signed for ${signedFor}`, () => {
      expect(tokenServiceOf(region, configured)).to.deep.equal({ endpoint, region: signedFor });
    });
  }

  const names: [region: string, endpoint: string, called: string][] = [
    ['eu-west-1', 'https://api.ecr.eu-west-1.amazonaws.com', 'eu-west-1'],
    ['prod', 'https://api.ecr.eu-west-1.amazonaws.com', 'eu-west-1'],
    ['us', 'https://ecr-fips.us-gov-west-1.amazonaws.com', 'us-gov-west-1'],
    ['private', 'https://vpce-0a.api.ecr.us-west-2.vpce.amazonaws.com', 'us-west-2'],
    ['', 'https://api.ecr-public.us-east-1.amazonaws.com', 'us-east-1'],
    ['', 'http://127.0.0.1:1', 'us-east-1'],
    ['lab', 'http://127.0.0.1:1', 'lab'],
  ];
  for (const [region, endpoint, called] of names) {
    it(`calls a region ${JSON.stringify(region)} of the account at ${endpoint} ${called}`, () => {
      expect(regionOf({ region, endpoint })).to.equal(called);
    });
  }

  const homes: [
    why: string,
    block: { roleArn?: string; stsEndpoint?: string },
    pod: string | undefined,
    region: string,
  ][] = [
    ['without anything', {}, undefined, 'us-east-1'],
    ["in the pod's region", {}, 'eu-north-1', 'eu-north-1'],
    ["in the role's partition", { roleArn: 'arn:aws-cn:iam::123456789012:role/x' }, undefined, 'cn-north-1'],
    [
      "in the role's partition, whatever the pod's",
      { roleArn: 'arn:aws-cn:iam::123456789012:role/x' },
      'eu-north-1',
      'cn-north-1',
    ],
    [
      "in the pod's region of the role's partition",
      { roleArn: 'arn:aws:iam::123456789012:role/x' },
      'eu-north-1',
      'eu-north-1',
    ],
    [
      'where the endpoint says',
      { stsEndpoint: 'https://sts.eu-west-3.amazonaws.com' },
      'eu-north-1',
      'eu-west-3',
    ],
    [
      'where a FIPS endpoint says',
      { stsEndpoint: 'https://sts-fips.us-west-2.amazonaws.com' },
      undefined,
      'us-west-2',
    ],
    ['at an endpoint elsewhere', { stsEndpoint: 'http://127.0.0.1:4566' }, undefined, 'us-east-1'],
  ];
  for (const [why, block, pod, region] of homes) {
    it(`verifies credentials ${why}: ${region}`, () => {
      expect(homeRegion(block, pod)).to.equal(region);
    });
  }
});
