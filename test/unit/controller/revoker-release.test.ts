import { expect } from 'chai';
import type { PreviousToken, RegistryTokenStatus } from '../../../src/api/registry-token.ts';
import type { AccountSessions, Issued } from '../../../src/controller/account/account-sessions.ts';
import { Memory } from '../../../src/controller/token/memory.ts';
import { Revoker, type RevokerOptions } from '../../../src/controller/token/revoker.ts';
import type { Tag } from '../../../src/registry/port.ts';
import { RegistryError } from '../../../src/registry/errors.ts';
import type { Reach } from '../../../src/token/lifecycle/place.ts';
import {
  aKey,
  anIntent,
  anIssuedToken,
  aPrevious,
  aRecord,
  at,
  DAY,
  HOUR,
  ISSUED,
} from '../../support/builders.ts';
import { Logs } from '../kube/support/logs.ts';

const NOW = ISSUED + 2 * HOUR;
const CLUSTER = 'this-cluster';
const NONE: ReadonlySet<string> = new Set();
const { signal } = new AbortController();
const TOKEN = anIssuedToken();
const { uid: UID } = TOKEN.metadata;
const IN_FORCE = aRecord({ specHash: 'in force' });

/** A registry on whose identities tokens hang, with one that has none. */
class Stage {
  /** What was asked of the registry, in order. */
  readonly asked: string[] = [];
  readonly logs = new Logs();
  readonly told: string[] = [];
  reach: Reach = { region: 'us-south' };
  /** What revocations and releases fail with. */
  readonly failing: { revoke?: Error; release?: Error } = {};
  /** Whether the registry has anything that tokens hang on. */
  hasIdentities = true;
  readonly #revoker: Revoker;

  constructor() {
    const nothing = (): void => undefined;
    const answer = (what: string, error: Error | undefined): Promise<void> => {
      this.asked.push(what);
      return error ? Promise.reject(error) : Promise.resolve();
    };
    const memory = new Memory();
    const registryOf = ({ region }: Issued): object => ({
      revoke: (id: string) => answer(`revoke ${id} in ${region}`, this.failing.revoke),
      ...(this.hasIdentities && {
        release: ({ clusterId, uid }: Tag, keep: readonly string[]) =>
          answer(
            `release ${clusterId}/${uid} in ${region} but ${[...keep].sort().join()}`,
            this.failing.release,
          ),
      }),
    });
    this.#revoker = new Revoker({
      sessions: { reach: () => this.reach, registryOf } as unknown as AccountSessions,
      events: { event: (_: unknown, __: unknown, reason: string) => void this.told.push(reason) },
      metrics: { revoked: nothing },
      logger: this.logs,
      clock: { now: () => NOW, monotonic: () => 0, after: () => nothing },
      random: () => 0,
      lists: { find: () => expect.fail('they are known to be its own') },
      clusterId: CLUSTER,
      memory,
    } as unknown as RevokerOptions);
    for (const id of ['a', 'b', 'c', 'e']) memory.noteOwn(UID, aKey(id));
  }

  async revoke(
    previousTokens: PreviousToken[],
    part: RegistryTokenStatus = {},
  ): Promise<RegistryTokenStatus> {
    const before = { token: IN_FORCE, previousTokens, ...part };
    const token = { ...TOKEN, status: before };
    const { status } = await this.#revoker.revokeDue(token, before, NONE, signal);
    return status;
  }

  release(keep: string[] = []): ReturnType<Revoker['release']> {
    return this.#revoker.release(TOKEN, aPrevious(), keep, signal);
  }
}

const due = (id: string, specHash: string | undefined, revokeAt = at(HOUR)): PreviousToken =>
  aPrevious({ id, specHash, revokeAt });
const released = (keep: string): string => `release ${CLUSTER}/${UID} in us-south but ${keep}`;

describe('what tokens hang on at a registry', () => {
  let stage: Stage;
  beforeEach(() => {
    stage = new Stage();
  });

  it('is released once the last token that was made for it is revoked, not before', async () => {
    await stage.revoke([due('a', 'former'), due('b', 'former')]);
    expect(stage.asked).to.deep.equal(['revoke a in us-south', 'revoke b in us-south', released('in force')]);
  });

  it('stays for a previous token in its grace period, the token in force and a mint that was begun', async () => {
    const mintIntent = anIntent({ specHash: 'to come' });
    const tokens = [
      due('a', 'in grace'),
      due('b', 'to come'),
      due('c', 'in force'),
      due('d', 'in grace', at(3 * HOUR)),
    ];
    await stage.revoke(tokens, { mintIntent });
    expect(stage.asked.filter((each) => each.startsWith('release'))).to.deep.equal([]);
    await stage.revoke([due('e', 'former'), due('d', 'in grace', at(3 * HOUR))], { mintIntent });
    expect(stage.asked.at(-1)).to.equal(released('in force,in grace,to come'));
  });

  it('stays where the token could not be revoked', async () => {
    stage.failing.revoke = new RegistryError('Unavailable', 'down');
    const { previousTokens } = await stage.revoke([due('a', 'former')]);
    expect(stage.asked).to.deep.equal(['revoke a in us-south']);
    expect(previousTokens).to.have.length(1);
  });

  it('is released after the last token has surely expired too', async () => {
    await stage.revoke([{ ...due('a', 'former'), expiresAt: at(HOUR - DAY) }]);
    expect(stage.asked).to.deep.equal([released('in force')]);
  });

  it('is left to the sweep where it is not known what the token was made for', async () => {
    await stage.revoke([due('a', undefined)]);
    expect(stage.asked).to.deep.equal(['revoke a in us-south']);
  });

  it('is left to the sweep where it can not be released: the token is revoked all the same', async () => {
    stage.failing.release = new RegistryError('Unavailable', 'down');
    const { previousTokens } = await stage.revoke([due('a', 'former')]);
    expect(previousTokens).to.equal(undefined);
    expect(stage.logs.messages('warn')).to.deep.equal(['what its tokens hung on is not deleted: down']);
    expect(stage.told).to.deep.equal(['Revoked']);
  });

  for (const reach of ['elsewhere', 'given up', 'unknown'] as const)
    it(`is left alone at a place that is ${reach}, and that is no failure`, async () => {
      stage.reach = reach;
      expect(await stage.release()).to.equal(undefined);
      expect(stage.asked).to.deep.equal([]);
    });

  it('is nothing to release at a registry that has none', async () => {
    stage.hasIdentities = false;
    await stage.revoke([due('a', 'former')]);
    expect(stage.asked).to.deep.equal(['revoke a in us-south']);
    expect(stage.logs.messages('warn')).to.deep.equal([]);
  });

  it('is told of as a failure with its reason, where it can not be released', async () => {
    stage.failing.release = new RegistryError('Forbidden', 'not allowed');
    expect(await stage.release()).to.include({ reason: 'RegistryForbidden', message: 'not allowed' });
  });
});
