import { expect } from 'chai';
import { clusterTokenFault, type ClusterRegistryToken } from '../../src/api/cluster-registry-token.ts';
import type { RegistryAccount } from '../../src/api/registry-account.ts';
import { readTokenSpec, type RegistryToken } from '../../src/api/registry-token.ts';
import { CLUSTER_REGISTRY_TOKENS, REGISTRY_ACCOUNTS, REGISTRY_TOKENS } from '../../src/api/resources.ts';
import { Redacted } from '../../src/common/redacted.ts';
import { PROVIDER_NAMES, providerOf } from '../../src/registry/backends.ts';
import { readExamples, type Example } from '../support/examples.ts';
import { sharedWorld } from '../support/shared-world.ts';
import type { World } from '../support/world.ts';

const examples = await readExamples();
const ofKind = (kind: string): Example[] => examples.filter(({ object }) => object.kind === kind);
const accounts = ofKind('RegistryAccount') as { file: string; object: RegistryAccount }[];
const tokens = ofKind('RegistryToken') as { file: string; object: RegistryToken }[];
const clusterTokens = ofKind('ClusterRegistryToken') as { file: string; object: ClusterRegistryToken }[];
const secrets = ofKind('Secret') as {
  file: string;
  object: Example['object'] & { stringData: Record<string, string> };
}[];

describe('examples', () => {
  let world: World;
  before(async () => {
    world = await sharedWorld();
  });

  it('have one account for each registry', () => {
    expect(accounts.map(({ object }) => providerOf(object.spec)?.name)).to.have.members(PROVIDER_NAMES);
  });

  for (const { file, object } of accounts) {
    it(`${file}: the API server takes every field of the account`, async () => {
      const metadata = { name: world.uniqueName('example') };
      const created = await world.client.create<RegistryAccount>(REGISTRY_ACCOUNTS, { ...object, metadata });
      expect(created).to.containSubset({ spec: object.spec });
    });

    it(`${file}: the registry needs no credentials but those of the Secret beside the account`, () => {
      const secret = secrets.find((example) => example.file === file)?.object;
      expect(secret?.metadata.name).to.equal(object.spec.credentialsSecretRef?.name);
      const data = secret && Object.entries(secret.stringData);
      const read = providerOf(object.spec)?.readCredentials(
        data && new Map(data.map(([key, value]) => [key, new Redacted(value)])),
      );
      expect(read).to.be.an('object').that.does.not.have.property('problem');
    });
  }

  for (const { file, object } of tokens) {
    it(`${file}: the API server takes every field of the RegistryToken, whose account is an example too`, async () => {
      const metadata = { name: 'example', namespace: await world.createNamespace() };
      const created = await world.client.create<RegistryToken>(REGISTRY_TOKENS, { ...object, metadata });
      expect(created).to.containSubset({ spec: object.spec });
      const { account } = readTokenSpec(created);
      expect(accounts.map((example) => example.object.metadata.name)).to.include(account);
    });
  }

  for (const { file, object } of clusterTokens) {
    it(`${file}: the API server takes every field of the ClusterRegistryToken, whose account is an example too`, async () => {
      const name = world.uniqueName('example');
      const metadata = { name };
      const created = await world.client.create<ClusterRegistryToken>(CLUSTER_REGISTRY_TOKENS, {
        ...object,
        metadata,
      });
      expect(created).to.containSubset({ spec: object.spec });
      expect(clusterTokenFault(created)).to.equal(undefined);
      const account = created.spec.template.spec?.accountRef?.name;
      expect(accounts.map((example) => example.object.metadata.name)).to.include(account);
      await world.client.delete(CLUSTER_REGISTRY_TOKENS, { name });
    });
  }
});
