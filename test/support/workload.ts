import { findCondition } from '../../src/api/conditions.ts';
import type { RegistryToken, RegistryTokenSpec } from '../../src/api/registry-token.ts';
import { REGISTRY_TOKENS } from '../../src/api/resources.ts';
import type { ObjectName } from '../../src/common/objects.ts';
import { KubeError } from '../../src/kube/client/errors.ts';
import type { MintLedger } from './mint-ledger.ts';
import type { World } from './world.ts';

/** A RegistryToken that users work with. */
interface Subject {
  name: ObjectName;
  uid: string;
  /** Tokens asked for: its first, and one for every edit that calls for another. */
  asked: number;
}

/**
 * Users who create, edit and delete RegistryTokens, at random. They wait for one edit to be carried out before they make the
 * next to the same object, so that it is known how many tokens each must have got.
 */
export class Workload {
  readonly counts = { created: 0, rotated: 0, changed: 0, retouched: 0, deleted: 0 };
  readonly #world: World;
  readonly #namespace: string;
  readonly #size: number;
  readonly #random: () => number;
  readonly #spec: RegistryTokenSpec;
  readonly #alive: Subject[] = [];
  readonly #deleted: Subject[] = [];

  /** @param options `size`: how many RegistryTokens there are to be; `random`: uniform in [0, 1); `spec`: of all of them */
  constructor(
    world: World,
    options: { namespace: string; size: number; random: () => number; spec?: RegistryTokenSpec },
  ) {
    const { namespace, size, random, spec = {} } = options;
    this.#spec = spec;
    this.#world = world;
    this.#namespace = namespace;
    this.#size = size;
    this.#random = random;
  }

  /** One act of one user. */
  async step(): Promise<void> {
    const subject = this.#alive[Math.floor(this.#random() * this.#alive.length)];
    if (!subject || this.#alive.length < this.#size) return this.#create();
    const chance = this.#random();
    if (chance < 0.1) return this.#delete(subject);
    const token = await this.#world.token(subject.name);
    if (!isSettled(token)) return undefined;
    try {
      await this.#edit(subject, token, chance);
    } catch (error) {
      // The operator wrote in between: a user would look again.
      if (!(error instanceof KubeError && error.isConflict)) throw error;
    }
  }

  /**
   * What was asked for and what was minted do not agree; a line for each RegistryToken.
   * @param spare so many more may have been minted for each, to replace those whose value was lost
   */
  complaints(mints: MintLedger, spare = 0): string[] {
    const alive = this.#alive.map(({ name, uid, asked }) => {
      const { length } = mints.revisions(uid);
      return length >= asked && length <= asked + spare
        ? ''
        : `${name.name}: ${length} mints, ${asked} asked for`;
    });
    const deleted = this.#deleted.map(({ name, uid, asked }) => {
      const { length } = mints.revisions(uid);
      return length <= asked + spare ? '' : `${name.name}, deleted: ${length} mints, ${asked} asked for`;
    });
    return [...alive, ...deleted].filter((line) => line !== '');
  }

  async #create(): Promise<void> {
    const gracePeriod = this.#random() < 0.8 ? '0s' : '1h';
    const name = await this.#world.createToken(this.#namespace, { ...this.#spec, rotation: { gracePeriod } });
    const { metadata } = await this.#world.token(name);
    this.#alive.push({ name, uid: metadata.uid, asked: 1 });
    this.counts.created++;
  }

  async #delete(subject: Subject): Promise<void> {
    await this.#world.deleteToken(subject.name);
    this.#alive.splice(this.#alive.indexOf(subject), 1);
    this.#deleted.push(subject);
    this.counts.deleted++;
  }

  async #edit(subject: Subject, token: RegistryToken, chance: number): Promise<void> {
    const { resourceVersion } = token.metadata;
    const patch = (part: { metadata?: object; spec?: object }): Promise<unknown> =>
      this.#world.client.mergePatch(REGISTRY_TOKENS, subject.name, {
        ...part,
        metadata: { resourceVersion, ...part.metadata },
      });
    if (chance < 0.6) {
      const value = String(subject.asked);
      await patch({ metadata: { annotations: { 'pullsecrets.dev/rotate': value } } });
      subject.asked++;
      this.counts.rotated++;
    } else if (chance < 0.85) {
      await patch({ spec: { access: token.spec.access === 'ReadWrite' ? 'ReadOnly' : 'ReadWrite' } });
      subject.asked++;
      this.counts.changed++;
    } else {
      await patch({ spec: { secret: { labels: { touched: `x${Math.floor(chance * 1e6)}` } } } });
      this.counts.retouched++;
    }
  }
}

/** Whether all that was asked for so far has been carried out. */
function isSettled({ metadata, status }: RegistryToken): boolean {
  const ready = findCondition(status?.conditions, 'Ready');
  return (
    ready?.status === 'True' &&
    ready.observedGeneration === metadata.generation &&
    status?.mintIntent === undefined &&
    metadata.annotations?.['pullsecrets.dev/rotate'] === status?.lastHandledRotate
  );
}
