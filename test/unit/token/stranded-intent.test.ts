import { expect } from 'chai';
import { Regions } from '../../../src/registry/regions.ts';
import type { RegistryAccount } from '../../../src/api/registry-account.ts';
import { isStranded } from '../../../src/token/stranded-intent.ts';
import { anAccount, anIntent } from '../../support/builders.ts';

const LAB = { name: 'lab', host: 'lab.test', endpoint: 'https://lab.test' };
const hasRegion = ({ spec }: RegistryAccount, region: string): boolean =>
  new Regions(spec).find(region) !== undefined;

describe('an open intent', () => {
  const rows: [string, string, RegistryAccount | undefined, boolean][] = [
    ['is not stranded in a built-in region of its account', 'us-south', anAccount(), false],
    ['nor in one that the account defines', 'lab', anAccount({ spec: { regions: [LAB] } }), false],
    ['nor where the account is not ready', 'us-south', anAccount({ status: { conditions: [] } }), false],
    [
      'nor while the account is being deleted',
      'us-south',
      anAccount({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }),
      false,
    ],
    [
      'nor where the account no longer overrides a built-in region',
      'eu-de',
      anAccount({ spec: { regions: [] } }),
      false,
    ],
    ['is stranded where its account is gone', 'us-south', undefined, true],
    ['is stranded where its account no longer has the region', 'lab', anAccount(), true],
  ];
  for (const [name, region, account, stranded] of rows) {
    it(name, () => expect(isStranded(anIntent({ region }), account, hasRegion)).to.equal(stranded));
  }
});
