import type { IssuedToken, Registry } from '../../../src/registry/port.ts';
import { registerSecret } from '../../support/secrecy.ts';
import { aRequest, granted, rowsOf, type Stage, UID } from './stage.ts';

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

  /** What the operator knows of where tokens can be: of one project, of all, and of two. */
  get scopes(): string[][] {
    const { scopes, outside } = this.stage;
    return [...scopes.map((scope) => [scope]), ...(outside === undefined ? [] : [[], [...scopes]])];
  }

  /** The tokens of a RegistryToken, once the registry lists them. */
  async rows(uid = UID, clusterId?: string): ReturnType<typeof rowsOf> {
    await this.stage.clock.advance(this.registry.capabilities.settling.listing);
    return rowsOf(this.registry, this.scopes, uid, clusterId);
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
