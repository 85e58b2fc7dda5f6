import type { IssuedToken, Registry, Select } from '../../../src/registry/port.ts';
import { readTag } from '../../../src/token/sweep/tag.ts';
import { registerSecret } from '../../support/secrecy.ts';
import { aRequest, CLUSTER, granted, type Stage, UID } from './stage.ts';

const { signal } = new AbortController();

/** A registry that creates tokens, freshly prepared for each specification, and what all of them do with it. */
export class Minting {
  readonly #prepare: () => Promise<Stage>;
  stage!: Stage;
  /** As the process has it that is running. */
  registry!: Registry;

  constructor(prepare: () => Promise<Stage>) {
    this.#prepare = prepare;
  }

  async begin(): Promise<void> {
    this.stage = await this.#prepare();
    this.restart();
  }

  /** Another process takes over. @param guard asked before anything is created or deleted */
  restart(guard?: () => void): void {
    this.registry = this.stage.connect(guard);
  }

  /** A token of the first scope unless told, once the registry accepts it. */
  async issue(part: Parameters<typeof aRequest>[0] = {}): Promise<IssuedToken> {
    const issued = await this.registry.issue(aRequest({ scope: this.firstScope, ...part }), signal);
    registerSecret(issued.value.reveal());
    await this.stage.clock.advance(this.registry.capabilities.settling.acceptance);
    return issued;
  }

  get firstScope(): readonly string[] {
    return this.registry.capabilities.scope ? this.stage.scopes.slice(0, 1) : [];
  }

  /** Everything that the registry lists, in each scope in which tokens can be where it lists those apart. */
  async list<T>(select: Select<T>, until: AbortSignal = signal): Promise<T[]> {
    const { scopes, outside } = this.stage;
    const apart = [...scopes.map((scope) => [scope]), ...(outside === undefined ? [] : [[]])];
    const rows: T[] = [];
    for (const scope of this.registry.capabilities.scope?.listedApart ? apart : [[]])
      rows.push(...((await this.registry.list?.(scope, select, until)) ?? []));
    return rows;
  }

  /** The tokens of a RegistryToken by their tag, once the registry lists them. */
  async rows(uid = UID, clusterId = CLUSTER): Promise<{ id: string; revision: number }[]> {
    await this.stage.clock.advance(this.registry.capabilities.settling.listing);
    return this.list(({ id, description, revoked, identity }) => {
      const tag = readTag(description);
      return tag?.uid === uid && tag.clusterId === clusterId && !revoked && !identity
        ? { id, revision: tag.revision }
        : undefined;
    });
  }

  /** A repository that the tokens of `issue` are for. */
  get inside(): string {
    return `${this.stage.scopes[0] ?? 'team'}/app`;
  }

  granted(token: IssuedToken, repository = this.inside): Promise<string[] | undefined> {
    return granted(this.stage, token, repository);
  }

  /** Revokes all that there is, and lets go of what it hung on. */
  async clear(): Promise<void> {
    for (const { id } of await this.rows()) await this.registry.revoke?.(id, signal);
    await this.release([]);
  }

  async release(keep: readonly string[]): Promise<void> {
    await this.registry.release?.({ clusterId: 'cluster-1', uid: UID }, keep, signal);
  }
}
