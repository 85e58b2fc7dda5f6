import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import packageJson from '../../package.json' with { type: 'json' };
import lock from '../../package-lock.json' with { type: 'json' };
import { production, type Bill } from '../../scripts/image/bill-of-materials.ts';
import { builtImage, type BuiltImage } from './support/built-image.ts';

interface Locked {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  devOptional?: boolean;
}

describe('image: what it is made of', function () {
  this.timeout(120_000);
  let image: BuiltImage;
  let bill: Bill;
  let notices: string;
  before(async () => {
    image = await builtImage();
    bill = JSON.parse(await readFile(join(image.root, 'app/sbom.cdx.json'), 'utf8')) as Bill;
    notices = await readFile(join(image.root, 'app/THIRD-PARTY-NOTICES.txt'), 'utf8');
  });
  const listed = (): string[] => bill.components.map(({ name, version }) => `${name}@${version}`);
  const noticed = (): string[] =>
    [...notices.matchAll(/^-{80}\n\n(\S+) (\S+), license /gm)].map(
      ([, name, version]) => `${name}@${version}`,
    );

  it('is listed in CycloneDX: exactly the production dependencies of the lock file', () => {
    const expected = Object.entries(lock.packages as Record<string, Locked>)
      .filter(([path, { dev, optional, devOptional }]) => path !== '' && !dev && !optional && !devOptional)
      .map(([path, { version }]) => `${path.replace(/^.*node_modules\//, '')}@${version}`);
    expect(bill).to.include({ bomFormat: 'CycloneDX', specVersion: '1.5' });
    expect(bill.metadata.component).to.include({ name: packageJson.name, version: packageJson.version });
    expect(listed()).to.have.members([...new Set(expected)]);
    expect(listed()).to.include.members(
      Object.entries(packageJson.dependencies).map(([name, version]) => `${name}@${version}`),
    );
  });

  it('is all in the list, whatever the bundler put in', () => {
    expect(noticed()).not.to.be.empty;
    expect(listed()).to.include.members(noticed());
  });

  it('comes with each license text that a package has', () => {
    expect(notices).to.match(/undici \S+, license MIT\n\nMIT License\n\nCopyright/);
    expect(notices).to.match(/@kubernetes\/client-node \S+, license Apache-2\.0/);
    expect(noticed()).to.deep.equal([...new Set(noticed())]);
  });

  it('brings nothing of the tests and tools', async () => {
    const code = await readFile(join(image.root, 'app/main.mjs'), 'utf8');
    for (const name of Object.keys(packageJson.devDependencies))
      expect(noticed().filter((each) => each.startsWith(`${name}@`))).to.be.empty;
    expect(code).not.to.match(/^\/\/ (test|sandbox|scripts|bench)\//m);
    expect(code).not.to.include(process.cwd());
  });

  it('has no time or chance in its list', () => {
    const raw: Bill = {
      serialNumber: 'urn:uuid:random',
      metadata: { timestamp: 'now', component: { name: 'folder', 'bom-ref': 'root' } },
      components: [
        { 'bom-ref': 'a', name: 'a', version: '1', scope: 'required' },
        { 'bom-ref': 'b', name: 'b', version: '1', scope: 'optional' },
      ],
      dependencies: [
        { ref: 'root', dependsOn: ['a', 'b'] },
        { ref: 'a', dependsOn: ['b'] },
        { ref: 'b', dependsOn: [] },
      ],
    };
    const reduced = production(raw, 'operator');
    expect(reduced).to.deep.equal({
      serialNumber: reduced.serialNumber,
      metadata: { component: { name: 'operator', 'bom-ref': 'root' } },
      components: [raw.components[0]],
      dependencies: [
        { ref: 'root', dependsOn: ['a'] },
        { ref: 'a', dependsOn: [] },
      ],
    });
    expect(reduced.serialNumber).to.match(
      /^urn:uuid:[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
    );
    expect(production({ ...raw, serialNumber: 'urn:uuid:other' }, 'operator')).to.deep.equal(reduced);
    expect(production(raw, 'other').serialNumber).not.to.equal(reduced.serialNumber);
  });
});
