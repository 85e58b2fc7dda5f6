import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { parse } from 'yaml';
import { REGISTRIES, REGISTRY_NAMES } from '../../sandbox/registries/registries.ts';
import { API_VERSION } from '../../src/api/names.ts';
import type { RegistryAccount } from '../../src/api/registry-account.ts';
import { CLUSTER_REGISTRY_TOKENS, REGISTRY_ACCOUNTS, REGISTRY_TOKENS } from '../../src/api/resources.ts';
import { systemClock } from '../../src/common/clock.ts';
import type { KubeObject } from '../../src/common/objects.ts';
import { PROVIDER_NAMES, providerOf } from '../../src/registry/backends.ts';
import { objectsOf, pagesBelow, readPage } from '../support/pages.ts';
import { World } from '../support/world.ts';

const KINDS = [CLUSTER_REGISTRY_TOKENS, REGISTRY_ACCOUNTS, REGISTRY_TOKENS];
const ROOT = new URL('../../', import.meta.url);
const text = (path: string): Promise<string> => readFile(new URL(path, ROOT), 'utf8');

async function readRegistry(name: string): Promise<Page> {
  const page = await readPage(name);
  const objects = await objectsOf(name);
  const account = objects.find(({ kind }) => kind === 'RegistryAccount');
  return {
    name,
    page,
    objects,
    account: (account ?? expect.fail(`${name} applies no RegistryAccount`)) as RegistryAccount,
  };
}

describe('documentation of registries', () => {
  let world: World;
  let pages: Page[];
  before(async () => {
    world = await World.start();
    pages = await Promise.all((await pagesBelow('registries/*.md')).map(readRegistry));
  });
  after(() => world.close());

  async function createAccount({ spec }: Pick<RegistryAccount, 'spec'>): Promise<string | undefined> {
    await world.client.create(REGISTRY_ACCOUNTS, {
      apiVersion: API_VERSION,
      kind: 'RegistryAccount',
      metadata: { name: world.uniqueName('documented') },
      spec,
    });
    return providerOf(spec)?.name;
  }

  it('has a page for every back end, with an account and RegistryTokens that the API server takes as they stand there', async () => {
    const namespace = await world.createNamespace();
    for (const { name, objects } of pages) {
      for (const { kind, ...rest } of objects) {
        if (kind === 'RegistryAccount') continue;
        expect(kind, name).to.equal('RegistryToken');
        const metadata = { namespace, name: world.uniqueName('documented') };
        await world.client.create(REGISTRY_TOKENS, { ...rest, kind, metadata });
      }
    }
    expect(await Promise.all(pages.map(({ account }) => createAccount(account)))).to.have.members(
      PROVIDER_NAMES,
    );
  });

  it('shows no object of this API, on any page, that the API server would refuse', async () => {
    const namespace = await world.createNamespace();
    for (const name of await pagesBelow('**/*.md'))
      for (const object of await objectsOf(name)) {
        const kind = KINDS.find((each) => each.kind === object.kind);
        if (object.apiVersion !== API_VERSION || !kind) continue;
        const metadata = {
          ...object.metadata,
          name: world.uniqueName('shown'),
          ...(kind.namespaced ? { namespace } : {}),
        };
        await world.client.create(kind, { ...object, metadata }).catch((error: Error) => {
          throw new Error(`${name}: ${error.message}`, { cause: error });
        });
      }
  });

  it('has an account in sandbox.md for every registry that is served alone', async () => {
    const rows = [...(await readPage('sandbox.md')).matchAll(/^\| `([\w-]+)` +\| `(\{.*\})` +\|$/gm)];
    expect(rows.map(([, name]) => name)).to.deep.equal(REGISTRY_NAMES);
    for (const [at, name] of REGISTRY_NAMES.entries()) {
      const account = REGISTRIES[name]
        .prepare(systemClock)
        .account('http://127.0.0.1:8090', '127.0.0.1:8090');
      expect(account).to.containSubset(parse(rows[at]?.[2] ?? ''));
      expect(Object.keys(account)).to.deep.equal(Object.keys(parse(rows[at]?.[2] ?? '') as object));
    }
  });

  it('has a minimal account in README.md for every back end, which the API server takes', async () => {
    const specs = [...(await text('README.md')).matchAll(/^\|.*`(spec: \{.*?\})`.*\|$/gm)];
    const accounts = specs.map(([, spec = '']) => parse(spec) as Pick<RegistryAccount, 'spec'>);
    expect(await Promise.all(accounts.map(createAccount))).to.have.members(PROVIDER_NAMES);
  });

  it('lists the fields of each registry, and of an account, as the CRD has them', async () => {
    const crd = parse(await text('crds/pullsecrets.dev_registryaccounts.yaml')) as Crd;
    const { properties = {} } = schemaOf(crd).properties?.['spec'] ?? {};
    const accountPage = await readPage('registryaccounts.md');
    const fields = Object.entries(properties).flatMap(([name, { properties: parts }]) =>
      ['limits', 'credentialsSecretRef', 'rotation'].includes(name)
        ? Object.keys(parts ?? {}).map((part) => `${name}.${part}`)
        : name,
    );
    expect(fieldsIn(accountPage)).to.have.members(fields);
    for (const { name, page, account } of pages) {
      const block = properties[providerOf(account.spec)?.name ?? '']?.properties ?? {};
      expect(fieldsIn(page), name).to.have.members(Object.keys(block));
    }
  });

  it('lists the fields of a RegistryToken as the CRD has them', async () => {
    const crd = parse(await text('crds/pullsecrets.dev_registrytokens.yaml')) as Crd;
    const { properties = {} } = schemaOf(crd).properties?.['spec'] ?? {};
    const fields = Object.entries(properties).flatMap(([name, { properties: parts }]) =>
      parts ? Object.keys(parts).map((part) => `${name}.${part}`) : name,
    );
    expect(fieldsIn(await readPage('registrytokens.md'))).to.have.members(fields);
  });
});

interface Page {
  /** Of the file. */
  name: string;
  page: string;
  /** What its commands apply. */
  objects: KubeObject[];
  account: RegistryAccount;
}

interface Schema {
  properties?: Record<string, Schema>;
}
interface Crd {
  spec: { versions: { schema: { openAPIV3Schema: Schema } }[] };
}

const schemaOf = ({ spec }: Crd): Schema => spec.versions[0]?.schema.openAPIV3Schema ?? {};

/** The first column of the table whose first heading begins with `Field`. */
function fieldsIn(page: string): string[] {
  const [, table = ''] = /^\| Field.*\n\|[-| ]+\n((?:\|.*\n)+)/m.exec(page) ?? [];
  return [...table.matchAll(/^\| (.+?) +\|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([\w.]+)`/g)].map(([, name = '']) => name),
  );
}
