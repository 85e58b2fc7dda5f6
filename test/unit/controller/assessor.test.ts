import { expect } from 'chai';
import type { RegistryToken } from '../../../src/api/registry-token.ts';
import type { RegistryAccount } from '../../../src/api/registry-account.ts';
import type { Others } from '../../../src/token/secret/claimants.ts';
import { Redacted } from '../../../src/common/redacted.ts';
import type { KubeObject } from '../../../src/common/objects.ts';
import { Assessor, type Assessment, type AssessorOptions } from '../../../src/controller/token/assessor.ts';
import { Memory } from '../../../src/controller/token/memory.ts';
import { KubeError } from '../../../src/kube/client/errors.ts';
import type { PlaceState, Situation } from '../../../src/token/decide/situation.ts';
import type { SecretView } from '../../../src/token/secret/secret-view.ts';
import {
  ABSENT,
  aKey,
  anAccount,
  anIntent,
  anIssuedToken,
  ANOTHER_PLACE,
  at,
  DAY,
  HOST,
  HOUR,
  ISSUED,
  MINUTE,
  ours,
  PLACE,
  SECOND,
} from '../../support/builders.ts';

const NOW = ISSUED + HOUR;
const { signal } = new AbortController();
const ELSEWHERE = {
  ibmRegistryTokens: { iamEndpoint: 'https://iam.example' },
  regions: [{ name: 'here', host: 'here.example' }],
};

const UP = { outage: undefined, backAt: undefined };

/** What the assessor sees. */
class Stage {
  readonly memory = new Memory();
  account: RegistryAccount | undefined = anAccount();
  /** As the watch has it; undefined: not seen yet. */
  namespace: KubeObject | undefined = aNamespace();
  /** As the API server has it; undefined: gone. */
  liveNamespace: KubeObject | undefined;
  rivals: RegistryToken[] = [];
  secret: SecretView = ours();
  problem: unknown;
  /** What is known of its account and place. */
  isKnown = true;
  isCurrent = true;
  verifies = true;
  changedAt: number | undefined;
  place: PlaceState = UP;
  /** The region that is wanted, by its own name. */
  region = 'us-south';
  /** Whose its account's credentials are known to be. */
  identity: string | undefined = PLACE.identity;
  /** Whether the watch knows the Secret as this RegistryToken's. */
  mayBelong = false;
  /** What the Secret was asked for: host, RegistryTokens that come after this one, and whether live. */
  readonly viewed: [host: string, younger: readonly string[], live: boolean][] = [];
  readonly #assessor: Assessor;

  constructor() {
    this.#assessor = new Assessor({
      sources: {
        token: () => expect.fail('it is given'),
        claimants: (namespace: string, name: string) =>
          this.rivals.filter(
            ({ metadata, spec }) =>
              metadata.namespace === namespace && (spec.secret?.name ?? metadata.name) === name,
          ),
        account: (name: string) => (name === 'default' ? this.account : undefined),
        namespace: () => this.namespace,
      },
      client: {
        get: (_: unknown, name: object, options: object) => {
          expect([name, options]).to.deep.equal([{ name: 'team' }, { metadataOnly: true, signal }]);
          return this.liveNamespace
            ? Promise.resolve(this.liveNamespace)
            : Promise.reject(new KubeError('gone', { status: 404 }));
        },
      },
      secrets: {
        view: (_: unknown, __: unknown, hosts: readonly string[], { younger }: Others, live: boolean) => {
          this.viewed.push([hosts.join(), younger.map(({ metadata }) => metadata.uid), live]);
          return Promise.resolve(this.secret);
        },
        mayBelongTo: () => this.mayBelong,
      },
      sessions: {
        problem: (account: string) => this.#of(account, this.problem),
        knows: (account: string) => this.#of(account, this.isKnown),
        isCurrent: () => this.isCurrent,
        verifies: (account: string) => this.#of(account, this.verifies),
        identity: () => this.identity,
        changedAt: (account: string) => this.#of(account, this.changedAt),
        moment: ({ account, region }: { account: string; region: string }) =>
          this.#of(`${account}/${region}`, { now: NOW, registryNow: NOW + MINUTE }),
        place: (account: string, region: string) => this.#of(`${account}/${region}`, this.place),
      },
      memory: this.memory,
      clock: { now: () => NOW, monotonic: () => 0 },
      mintBudget: 5,
    } as unknown as AssessorOptions);
  }

  /** What is known of the account and region that the builders name. */
  #of<T>(where: string, known: T): T {
    expect(where).to.be.oneOf(['default', `default/${this.region}`]);
    return known;
  }

  assess(token = anIssuedToken(), live = false): Promise<Assessment> {
    return this.#assessor.assess(token, live, signal);
  }

  /** What is assessed where nothing is refused. */
  async situation(token = anIssuedToken()) {
    const { situation } = (await this.assess(token)) as Extract<Assessment, { refusal?: undefined }>;
    return situation;
  }
}

function aNamespace(part: Partial<KubeObject['metadata']> = {}): KubeObject {
  const metadata = {
    name: 'team',
    uid: 'namespace-uid',
    resourceVersion: '1',
    creationTimestamp: at(0),
    ...part,
  };
  return { apiVersion: 'v1', kind: 'Namespace', metadata };
}

const rival = (name: string, age: number, part: Partial<RegistryToken['metadata']> = {}): RegistryToken =>
  anIssuedToken({
    metadata: { name, uid: `uid of ${name}`, creationTimestamp: at(-MINUTE - age), ...part },
    spec: { secret: { name: 'app' } },
  });

describe('assessing a RegistryToken', () => {
  let stage: Stage;
  beforeEach(() => {
    stage = new Stage();
  });

  it('with nothing amiss finds nothing to do', async () => {
    expect(await stage.assess()).to.nested.include({ 'decision.action': 'rest' });
    expect(stage.viewed).to.deep.equal([[HOST, [], false]]);
  });

  it('looks at the Secret itself where it is asked to', async () => {
    await stage.assess(anIssuedToken(), true);
    expect(stage.viewed.map(([, , live]) => live)).to.deep.equal([true]);
  });

  it('takes the registry’s clock, the account’s trouble and the time into account', async () => {
    stage.problem = { reason: 'AccountNotReady', message: 'why' };
    expect(await stage.situation()).to.deep.include({
      now: NOW,
      registryNow: NOW + MINUTE,
      mintBudget: 5,
      accountProblem: stage.problem,
    });
  });

  it('refuses a spec that can not be read, saying why', async () => {
    const assessment = await stage.assess(anIssuedToken({ spec: { lifetime: 'soon' } }));
    expect(assessment).to.have.nested.property('refusal.reason', 'InvalidSpec');
    expect(assessment).to.have.nested.property('refusal.message').that.includes('spec.lifetime');
    expect(stage.viewed).to.deep.equal([]);
  });

  it('refuses what its account does not give, and looks at no Secret', async () => {
    stage.account = undefined;
    expect(await stage.assess()).to.have.nested.property('refusal.reason', 'AccountNotFound');
    stage.account = anAccount({ spec: ELSEWHERE });
    expect(await stage.assess()).to.have.nested.property('refusal.reason', 'RegionUnknown');
    expect(stage.viewed).to.deep.equal([]);
  });

  it('refuses an account that names no registry, or two, as an old API server takes it', async () => {
    for (const spec of [{ ibmRegistryTokens: undefined }, { harbor: { url: 'https://harbor.example' } }]) {
      stage.account = anAccount({ spec });
      expect(await stage.assess()).to.have.nested.property('refusal.reason', 'AccountNotReady');
    }
    expect(stage.viewed).to.deep.equal([]);
  });

  it('does not know where to issue while it is not known whose the account’s credentials are', async () => {
    stage.identity = undefined;
    expect((await stage.situation()).wanted).to.include({ region: 'us-south', place: undefined });
  });

  describe('of a registry without regions', () => {
    const url = 'https://harbor.example';
    beforeEach(() => {
      stage.account = anAccount({ spec: { ibmRegistryTokens: undefined, harbor: { url } } });
      stage.identity = url;
      stage.region = '';
    });

    it('settles host, place, scope and lifetime as the registry has them', async () => {
      const token = anIssuedToken({ spec: { scope: ['team-b', 'team-a', 'team-b'], lifetime: '90m' } });
      const { wanted } = await stage.situation(token);
      expect(wanted).to.deep.include({
        region: '',
        host: 'harbor.example',
        place: { endpoint: url, identity: url, provider: 'harbor' },
        scope: ['team-a', 'team-b'],
        lifetime: 90 * MINUTE,
        given: DAY,
        issue: 'minted',
        settling: { acceptance: 0, listing: 0, absence: 0 },
      });
    });

    it('refuses a region, and is not asked for more than the account allows', async () => {
      const assess = async (spec: RegistryToken['spec']): Promise<unknown> => {
        const { refusal } = await stage.assess(anIssuedToken({ spec }));
        return refusal?.reason;
      };
      expect(await assess({ region: 'us-south' })).to.equal('RegionUnknown');
      const limits = { scopes: ['$(namespace)', 'shared-*'] };
      stage.account = anAccount({ spec: { ibmRegistryTokens: undefined, harbor: { url }, limits } });
      expect(await assess({ scope: ['another'] })).to.equal('ScopeNotAllowed');
      expect(await assess({ scope: ['team', 'shared-a'] })).to.equal(undefined);
    });
  });

  describe('with a mint that was begun', () => {
    const intent = anIntent({ startedAt: at(HOUR) });
    const stranded = async (): Promise<boolean> =>
      (await stage.situation(anIssuedToken({ status: { mintIntent: intent } }))).intentIsStranded;

    it('knows whether its place is gone by what the account says now, by endpoint and identity', async () => {
      expect(await stranded()).to.equal(false);
      const regions = [{ name: 'us-south', host: HOST, endpoint: 'https://moved.example' }];
      stage.account = anAccount({ spec: { regions } });
      expect(await stranded()).to.equal(true);
      stage.account = anAccount({ spec: { ibmRegistryTokens: { accountId: 'another' } } });
      expect(await stranded()).to.equal(true);
    });

    it('knows its place to be gone once the account is one of another registry', async () => {
      stage.account = anAccount({ spec: { ibmRegistryTokens: undefined, ibmCloud: {} } });
      expect(await stranded()).to.equal(true);
    });
  });

  describe('knows its namespace', () => {
    const selector = { namespaceSelector: { matchLabels: { team: 'a' } } };
    beforeEach(() => {
      stage.account = anAccount({ spec: selector });
    });

    it('by the watch', async () => {
      expect(await stage.assess()).to.have.nested.property('refusal.reason', 'NamespaceNotAllowed');
      stage.namespace = aNamespace({ labels: { team: 'a' } });
      expect(await stage.assess()).to.not.have.property('refusal');
    });

    it('by the API server, where the watch has not seen it yet', async () => {
      stage.namespace = undefined;
      stage.liveNamespace = aNamespace({ labels: { team: 'a' } });
      expect(await stage.assess()).to.not.have.property('refusal');
    });

    it('to be terminating', async () => {
      stage.namespace = aNamespace({ labels: { team: 'a' }, deletionTimestamp: at(HOUR) });
      expect(await stage.assess()).to.have.nested.property('refusal.reason', 'NamespaceTerminating');
    });
  });

  describe('that is not alone in wanting its Secret', () => {
    it('goes after the oldest', async () => {
      stage.rivals = [rival('newer', -MINUTE), rival('older', MINUTE), rival('oldest', HOUR)];
      expect(await stage.situation()).to.include({ olderClaimant: 'oldest' });
    });

    it('does not read the Secret that another one gets, unless it is its own or it must know', async () => {
      stage.rivals = [rival('newer', -MINUTE), rival('older', MINUTE)];
      await stage.assess();
      expect(stage.viewed).to.deep.equal([]);
      await stage.assess(anIssuedToken(), true);
      stage.mayBelong = true;
      await stage.assess();
      expect(stage.viewed).to.deep.equal([true, false].map((live) => [HOST, ['uid of newer'], live]));
    });

    it('goes by name where they are of the same second', async () => {
      stage.rivals = [rival('aaa', 0), rival('zzz', 0)];
      stage.mayBelong = true;
      expect(await stage.situation()).to.include({ olderClaimant: 'aaa' });
      expect(stage.viewed).to.deep.equal([[HOST, ['uid of zzz'], false]]);
    });

    it('does not count itself, nor those that are being deleted', async () => {
      stage.rivals = [anIssuedToken(), rival('older', HOUR, { deletionTimestamp: at(0) })];
      expect(await stage.situation()).to.include({ olderClaimant: undefined });
      expect(stage.viewed).to.deep.equal([[HOST, [], false]]);
    });
  });

  describe('takes into account', () => {
    const outage = { kind: 'Down', message: 'down', retryAt: NOW, isTried: false } as const;
    const known: [what: string, part: Partial<Stage>, expected: Partial<Situation>][] = [
      ['that its account was not looked at yet', { isKnown: false }, { accountIsKnown: false }],
      ['when its account changed', { changedAt: ISSUED }, { accountChangedAt: ISSUED }],
      ['that its account does not have tokens tried', { verifies: false }, { verifies: false }],
      [
        'that its place is down',
        { place: { outage, backAt: undefined } },
        { place: { outage, backAt: undefined } },
      ],
      [
        'that the latest change of its account was not looked at yet',
        { isCurrent: false },
        { accountProblem: 'its latest change was not looked at yet' },
      ],
      [
        'what its account’s trouble is, though its latest change was not looked at yet',
        { isCurrent: false, problem: 'no key' },
        { accountProblem: 'no key' },
      ],
    ];
    for (const [what, part, expected] of known)
      it(what, async () => {
        Object.assign(stage, part);
        expect(await stage.situation()).to.deep.include(expected);
      });

    it('that nothing is the matter', async () => {
      expect(await stage.situation()).to.deep.include({
        accountIsKnown: true,
        accountProblem: undefined,
        accountChangedAt: undefined,
        verifies: true,
        place: UP,
        tokenIsGone: false,
        hostTryAt: undefined,
        contestedUntil: undefined,
      });
    });

    it('the host that its Secret was written with, beside the one that the account names', async () => {
      await stage.assess(anIssuedToken({ status: { host: 'former.example' } }));
      expect(stage.viewed.map(([hosts]) => hosts)).to.deep.equal([`former.example,${HOST}`]);
    });
  });

  describe('remembers', () => {
    const { uid } = anIssuedToken().metadata;

    it('that its token is gone from the registry', async () => {
      stage.memory.markGone(uid, aKey());
      expect(await stage.situation()).to.include({ tokenIsGone: true });
      const elsewhere = anIssuedToken({ status: { token: { place: ANOTHER_PLACE } } });
      expect(await stage.situation(elsewhere)).to.include({ tokenIsGone: false });
    });

    it('that nobody had the value of its token, until the Secret changes', async () => {
      stage.secret = ABSENT;
      stage.memory.markValueLost(uid, aKey(), undefined);
      expect(await stage.situation()).to.include({ tokenIsGone: true });
      stage.secret = ours();
      const { tokenIsGone, valueIsKnown } = await stage.situation();
      expect({ tokenIsGone, valueIsKnown }).to.deep.equal({ tokenIsGone: false, valueIsKnown: true });
    });

    it('when to try its host again', async () => {
      const hostTryAt = stage.memory.noteHostTried(uid, HOST, NOW);
      expect(await stage.situation()).to.include({ hostTryAt });
    });

    it('until when its Secret is not repaired again', async () => {
      for (let repair = 0; repair < 3; repair++) stage.memory.countRepair(uid, 0);
      expect(await stage.situation()).to.include({ contestedUntil: NOW + 30 * SECOND });
    });

    it('the value of its token, as long as it is that token', async () => {
      stage.secret = ABSENT;
      expect(await stage.situation()).to.include({ valueIsKnown: false });
      const value = new Redacted('a-very-secret-value');
      stage.memory.remember(uid, { id: 'token-1', username: 'token', value, expiresAt: null }, PLACE);
      expect(await stage.situation()).to.include({ valueIsKnown: true });
      const other = anIssuedToken({ status: { token: { id: 'token-2' } } });
      expect(await stage.situation(other)).to.include({ valueIsKnown: false });
    });
  });

  it('reads the value of its token from the Secret, where that is intact', async () => {
    expect(await stage.situation()).to.include({ valueIsKnown: true });
    stage.secret = ours({ holds: 'another' });
    expect(await stage.situation()).to.include({ valueIsKnown: false });
  });

  describe('with a mint that is open', () => {
    const open = (endpoint: string, account = 'default'): RegistryToken =>
      anIssuedToken({ status: { mintIntent: anIntent({ place: { endpoint }, account }) } });

    it('knows whether its account is still there and leads to its place', async () => {
      expect(await stage.situation(open(PLACE.endpoint))).to.include({ intentIsStranded: false });
      expect(await stage.situation(open('https://mars.example'))).to.include({ intentIsStranded: true });
      expect(await stage.situation(open(PLACE.endpoint, 'another'))).to.include({ intentIsStranded: true });
      expect(await stage.situation()).to.include({ intentIsStranded: false });
    });
  });
});
