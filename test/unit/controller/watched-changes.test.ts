import { expect } from 'chai';
import {
  FINALIZER,
  MANAGED_BY_LABEL,
  OPERATOR,
  OWNER_UID_LABEL,
  ROTATE_ANNOTATION,
} from '../../../src/api/names.ts';
import type { RegistryAccount } from '../../../src/api/registry-account.ts';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import type { FedQueues } from '../../../src/controller/shared/watched-changes.ts';
import type { Watches } from '../../../src/controller/shared/watches.ts';
import { anAccount, anIssuedToken, aSecret, at, HOST, SECOND, type Part } from '../../support/builders.ts';
import { settle } from '../../support/virtual-clock.ts';
import { refuse } from '../kube/support/model-server.ts';
import { ACCOUNTS, tokensIn, WatchStage } from './support/watch-stage.ts';

const NAMESPACES = '/api/v1/namespaces';
const namespaced = (namespace: string, plural: string): string => `${NAMESPACES}/${namespace}/${plural}`;

describe('what changes, once this process leads,', () => {
  let stage: WatchStage;
  let watches: Watches;
  let fed: FedQueues;

  const put = (name: string, part: Part<RegistryToken> = {}, namespace = 'a'): void =>
    void stage.server.put(tokensIn(namespace), name, anIssuedToken(part));
  /** Keys that wait, each once, in order. */
  const waiting = async (queue: keyof FedQueues): Promise<string[]> => {
    await settle();
    return stage.drain(fed[queue]);
  };
  /** Accounts that wait by when their numbers are counted again. */
  const counted = async (): Promise<string[]> => {
    await stage.clock.advance(5 * SECOND);
    return waiting('account');
  };
  const begin = async (...namespaces: string[]): Promise<void> => {
    watches = await stage.start(namespaces);
    fed = stage.queues();
    watches.feed(fed);
  };

  beforeEach(() => {
    stage = new WatchStage();
  });
  afterEach(() => stage.end());

  describe('of a RegistryToken', () => {
    beforeEach(async () => {
      put('app');
      await begin('a');
      await waiting('token');
    });

    const changes: [what: string, part: Part<RegistryToken>, concerns: boolean][] = [
      ['its spec', { metadata: { generation: 2 } }, true],
      ['that it is to go', { metadata: { deletionTimestamp: at(0) } }, true],
      ['its annotations', { metadata: { annotations: { [ROTATE_ANNOTATION]: 'now' } } }, true],
      ['that it has lost its finalizer', { metadata: { finalizers: undefined } }, true],
      ['its labels', { metadata: { labels: { team: 'one' } } }, false],
      ['its status', { status: { host: 'another.example' } }, false],
    ];
    for (const [what, part, concerns] of changes)
      it(`${what}: ${concerns ? 'it is enqueued, and its account is counted again' : 'nothing is enqueued'}`, async () => {
        put('app', part);
        expect(await waiting('token')).to.deep.equal(concerns ? ['a/app'] : []);
        expect(await counted()).to.deep.equal(concerns ? ['default'] : []);
      });

    it('its finalizer, once it is put on: nothing is enqueued', async () => {
      put('app', { metadata: { finalizers: undefined } });
      await waiting('token');
      put('app', { metadata: { finalizers: [FINALIZER] } });
      expect(await waiting('token')).to.deep.equal([]);
    });

    it('that it came or went: it is enqueued, and its account counted again after five seconds', async () => {
      put('next');
      expect(await waiting('token')).to.deep.equal(['a/next']);
      await stage.clock.advance(5 * SECOND - 1);
      expect(await waiting('account')).to.deep.equal([]);
      await stage.clock.advance(1);
      expect(await waiting('account')).to.deep.equal(['default']);
      stage.server.remove(tokensIn('a'), 'next');
      expect(await waiting('token')).to.deep.equal(['a/next']);
      expect(await counted()).to.deep.equal(['default']);
    });

    it('its account: that and the one before are counted again', async () => {
      put('app', { metadata: { generation: 2 }, spec: { accountRef: { name: 'other' } } });
      expect(await counted()).to.have.members(['default', 'other']);
    });

    const told: [what: string, status: Part<RegistryToken['status']>][] = [
      ['the rotation of its account that it followed', { lastHandledAccountRotation: 'leak' }],
      [
        'the host that it waits for',
        { pendingHost: { host: HOST, since: at(0), refused: true, message: 'no' } },
      ],
    ];
    for (const [what, status] of told)
      it(`${what}: its account, which tells of that, is enqueued and it is not`, async () => {
        put('app', { status });
        expect(await waiting('token')).to.deep.equal([]);
        expect(await counted()).to.deep.equal(['default']);
      });

    it('the Secret that it names: who gets the one given up is enqueued', async () => {
      put('rival', { spec: { secret: { name: 'app' } } });
      await waiting('token');
      put('app', { metadata: { generation: 2 }, spec: { secret: { name: 'other' } } });
      expect(await waiting('token')).to.have.members(['a/app', 'a/rival']);
    });

    it('whatever it is, is told to those who follow RegistryTokens, unless it is gone', async () => {
      const names: string[] = [];
      watches.onToken(({ metadata }) => void names.push(metadata.name));
      put('next');
      put('app', { status: { host: 'another.example' } });
      await settle();
      stage.server.remove(tokensIn('a'), 'next');
      await settle();
      expect(names).to.deep.equal(['next', 'app']);
    });

    it('is known: the RegistryToken by its uid, its Secret and those of its account', async () => {
      const [app] = watches.tokens();
      expect(watches.tokenOf(app?.metadata.uid ?? '')).to.equal(app);
      expect(watches.claimants('a', 'app')).to.deep.equal([app]);
      expect([watches.tokensOf('default'), watches.tokensOf('other')]).to.deep.equal([[app], []]);
    });
  });

  it('goes before what was there', async () => {
    for (const name of ['app', 'next']) put(name);
    await begin('a');
    put('next', { metadata: { generation: 2 } });
    expect(await waiting('token')).to.deep.equal(['a/next', 'a/app']);
  });

  it('goes before what a namespace has that can be read by now', async () => {
    let forbidden = true;
    stage.server.fault = (call) => {
      if (forbidden && call.path.includes('/namespaces/b/')) throw refuse(call, 403, 'Forbidden');
      return undefined;
    };
    put('app');
    put('late', {}, 'b');
    const labels = { [MANAGED_BY_LABEL]: OPERATOR };
    stage.server.put(namespaced('b', 'secrets'), 'late', aSecret({ metadata: { labels } }));
    await begin('a', 'b');
    await waiting('token');
    forbidden = false;
    await stage.clock.advance(60 * SECOND);
    put('app', { metadata: { generation: 2 } });
    expect(await waiting('token')).to.deep.equal(['a/app', 'b/late']);
  });

  describe('of an account', () => {
    beforeEach(async () => {
      stage.server.put(ACCOUNTS, 'default', anAccount({ metadata: { generation: 1 } }));
      await begin('a');
    });

    it('is not what was there when this process began: those are tried first', async () => {
      expect(await waiting('account')).to.deep.equal([]);
    });

    it('goes before what comes back by itself', async () => {
      fed.account.add('other', { priority: 'low' });
      stage.server.put(ACCOUNTS, 'next', anAccount({ metadata: { generation: 1 } }));
      expect(await waiting('account')).to.deep.equal(['next', 'other']);
    });

    it('that it came or went: it is enqueued', async () => {
      stage.server.put(ACCOUNTS, 'next', anAccount({ metadata: { generation: 1 } }));
      expect(await waiting('account')).to.deep.equal(['next']);
      expect(watches.accounts().map(({ metadata }) => metadata.name)).to.deep.equal(['default', 'next']);
      stage.server.remove(ACCOUNTS, 'next');
      expect(await waiting('account')).to.deep.equal(['next']);
      expect(watches.account('next')).to.equal(undefined);
    });

    const credentials = anAccount().spec.credentialsSecretRef?.name ?? '';
    it('its credentials: it is enqueued, whether they came, changed or went', async () => {
      for (const version of ['first', 'second']) {
        stage.server.put(namespaced('system', 'secrets'), credentials, { data: { version } });
        expect(await waiting('account'), version).to.deep.equal(['default']);
      }
      stage.server.remove(namespaced('system', 'secrets'), credentials);
      expect(await waiting('account')).to.deep.equal(['default']);
    });

    it('is no other Secret in the namespace of the operator', async () => {
      stage.server.put(namespaced('system', 'secrets'), 'another');
      expect(await waiting('account')).to.deep.equal([]);
    });
  });

  describe('of a namespace', () => {
    beforeEach(async () => {
      stage.server.put(NAMESPACES, 'a', { metadata: { labels: { team: 'one' } } });
      put('app');
      put('other', {}, 'b');
      await begin('a', 'b');
      await waiting('token');
    });

    const changes: [what: string, metadata: object, concerns: boolean][] = [
      ['its labels', { labels: { team: 'two' } }, true],
      ['that it is to go', { labels: { team: 'one' }, deletionTimestamp: at(0) }, true],
      ['its annotations', { labels: { team: 'one' }, annotations: { note: 'new' } }, false],
    ];
    for (const [what, metadata, concerns] of changes)
      it(`${what}: its RegistryTokens are ${concerns ? '' : 'not '}enqueued`, async () => {
        stage.server.put(NAMESPACES, 'a', { metadata });
        expect(await waiting('token')).to.deep.equal(concerns ? ['a/app'] : []);
      });

    it('that it came: its RegistryTokens are enqueued', async () => {
      stage.server.put(NAMESPACES, 'b');
      expect(await waiting('token')).to.deep.equal(['b/other']);
      expect(watches.namespace('b')).to.have.nested.property('metadata.name', 'b');
    });
  });

  describe('of a Secret', () => {
    const uidOf = (name: string): string | undefined =>
      watches.tokens().find(({ metadata }) => metadata.name === name)?.metadata.uid;
    const putSecret = (owner: string | undefined, note = ''): void => {
      const labels = { [MANAGED_BY_LABEL]: OPERATOR, [OWNER_UID_LABEL]: owner };
      stage.server.put(namespaced('a', 'secrets'), 'app', { metadata: { labels, annotations: { note } } });
    };
    beforeEach(async () => {
      put('app');
      put('former');
      await begin('a');
      await waiting('token');
    });

    it('whose it is: who had it and who has it are enqueued', async () => {
      putSecret(uidOf('former'));
      await waiting('token');
      putSecret(uidOf('app'));
      expect(await waiting('token')).to.have.members(['a/former', 'a/app']);
      expect(watches.secret({ namespace: 'a', name: 'app' })).to.have.nested.property('metadata.name', 'app');
    });

    it('whose RegistryToken is gone: who wants it is enqueued, after what has changed itself', async () => {
      putSecret('of a RegistryToken that is gone');
      await settle();
      put('former', { metadata: { generation: 2 } });
      expect(await waiting('token')).to.deep.equal(['a/former', 'a/app']);
    });

    it('which is somebody’s own goes before what comes back by itself', async () => {
      fed.token.add('a/other', { priority: 'low' });
      putSecret(uidOf('app'));
      expect(await waiting('token')).to.deep.equal(['a/app', 'a/other']);
    });

    it('that bears no uid concerns nobody', async () => {
      putSecret(undefined);
      expect(await waiting('token')).to.deep.equal([]);
    });
  });

  describe('of a ServiceAccount', () => {
    const serviceAccounts = ['builder'];

    it('is told once a RegistryToken names one: it is enqueued, and who names it, since it was not there before', async () => {
      put('app', { spec: { serviceAccounts } });
      put('other');
      await begin('a');
      await waiting('token');
      await waiting('link');
      stage.server.put(namespaced('a', 'serviceaccounts'), 'builder');
      expect(await waiting('link')).to.deep.equal(['a/builder']);
      expect(await waiting('token')).to.deep.equal(['a/app']);
    });

    it('goes, with who names it, before what was there', async () => {
      put('app', { spec: { serviceAccounts } });
      await begin('a');
      put('other', { spec: { serviceAccounts: ['late'] } });
      expect(await waiting('link')).to.deep.equal(['a/late', 'a/builder']);
    });

    it('is looked at again, with who names it, once it can be read', async () => {
      let forbidden = true;
      stage.server.fault = (call) => {
        if (forbidden && call.path.endsWith('/serviceaccounts')) throw refuse(call, 403, 'Forbidden');
        return undefined;
      };
      for (const namespace of ['a', 'b']) put('app', { spec: { serviceAccounts } }, namespace);
      put('other');
      await begin('a', 'b');
      await waiting('token');
      await waiting('link');
      forbidden = false;
      await stage.clock.advance(60 * SECOND);
      expect(await waiting('link')).to.have.members(['a/builder', 'b/builder']);
      expect(await waiting('token')).to.have.members(['a/app', 'b/app']);
    });
  });

  it('at the API server is asked for no more than is needed: Secrets that the operator manages, and no payload', async () => {
    await begin('a');
    const lists = new Map(
      stage.server.calls
        .filter(({ query }) => query?.['watch'] === undefined)
        .map((call) => [call.path, call]),
    );
    expect(lists.get(namespaced('a', 'secrets'))?.query).to.include({
      labelSelector: `${MANAGED_BY_LABEL}=${OPERATOR}`,
    });
    for (const path of [namespaced('a', 'secrets'), namespaced('system', 'secrets'), NAMESPACES])
      expect(lists.get(path)?.accept, path).to.include('PartialObjectMetadata');
    expect(lists.get(tokensIn('a'))?.accept).to.not.include('PartialObjectMetadata');
  });
});

describe('the watches know every RegistryToken', () => {
  for (const [what, namespaces, complete] of [
    ['of the cluster where they watch all namespaces', [], true],
    ['of the namespaces that they watch, and no other', ['a'], false],
  ] as const)
    it(what, () => {
      expect(new WatchStage().create([...namespaces]).complete).to.equal(complete);
    });
});

describe('RegistryTokens take turns by the place where they have their tokens:', () => {
  const regions: [what: string, spec: Part<RegistryToken['spec']>, place: string][] = [
    ['the region that it names', { region: 'eu-de' }, 'default/https://de.icr.io'],
    ['the region that it names by an alias', { region: 'us-east' }, 'default/https://us.icr.io'],
    ['the default region of its account', {}, 'default/https://jp.icr.io'],
    ['its account alone where that is not there', { accountRef: { name: 'gone' } }, 'gone/'],
    ['a region that its account does not have', { region: 'nowhere' }, 'default/nowhere'],
  ];
  for (const [what, spec, place] of regions)
    it(what, async () => {
      const stage = new WatchStage();
      stage.server.put(ACCOUNTS, 'default', anAccount({ spec: { defaultRegion: 'jp-tok' } }));
      stage.server.put(tokensIn('a'), 'app', anIssuedToken({ spec }));
      const watches = await stage.start(['a']);
      expect(watches.placeOf({ namespace: 'a', name: 'app' })).to.equal(place);
      expect(watches.placeOf({ namespace: 'a', name: 'gone' })).to.equal('');
      await stage.end();
    });

  it('one for all regions that share an endpoint, and for a registry without regions', async () => {
    const accounts: [name: string, spec: Part<RegistryAccount['spec']>, place: string][] = [
      ['cloud', { ibmRegistryTokens: undefined, ibmCloud: {} }, 'cloud/https://iam.cloud.ibm.com'],
      [
        'harbor',
        { ibmRegistryTokens: undefined, harbor: { url: 'https://harbor.example/' } },
        'harbor/https://harbor.example',
      ],
    ];
    for (const [name, spec, place] of accounts) {
      const stage = new WatchStage();
      stage.server.put(ACCOUNTS, name, anAccount({ spec }));
      const wanted = name === 'cloud' ? ['eu-de', 'jp-tok', undefined] : [undefined];
      for (const region of wanted)
        stage.server.put(
          tokensIn('a'),
          region ?? 'default',
          anIssuedToken({ spec: { region, accountRef: { name } } }),
        );
      const watches = await stage.start(['a']);
      for (const region of wanted)
        expect(watches.placeOf({ namespace: 'a', name: region ?? 'default' })).to.equal(place);
      await stage.end();
    }
  });
});
