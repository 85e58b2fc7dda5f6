import type { RegistryToken } from '../../api/registry-token.ts';
import { REGISTRY_TOKENS } from '../../api/resources.ts';
import { KubeError } from '../../kube/client/errors.ts';
import { objectKey } from '../../kube/client/object-key.ts';
import type { Context } from '../context.ts';
import { CommandFailure } from '../failure.ts';
import { plain } from '../output/table.ts';
import { tokenTitle } from '../selected-tokens.ts';
import { waitFor, type Look } from '../waiting.ts';
import {
  newRequest,
  requestPatch,
  restoringCommand,
  restoringPatch,
  rotationState,
  type RotationRequest,
  type RotationState,
} from './request.ts';

interface Asked {
  /** As it was before. */
  token: RegistryToken;
  request: RotationRequest;
  state: RotationState;
  /** Whether the operator may know of the request. */
  mayBeWritten: boolean;
}

/** Milliseconds that one who does not wait is kept for what the operator says first: a budget or a backoff in the way. */
const FIRST_LOOK = 5_000;
/** Beyond as many, what each waits for is not told one by one. */
const MAX_TOLD = 20;

/** A rotation of some RegistryTokens, from the request to its end. */
export class Rotation {
  readonly #context: Context;
  readonly #asked: Asked[];
  readonly #revokeNow: boolean;

  constructor(context: Context, tokens: readonly RegistryToken[], revokeNow: boolean) {
    const now = context.clock.now();
    this.#context = context;
    this.#revokeNow = revokeNow;
    this.#asked = tokens.map((token) => ({
      token,
      request: newRequest(token, now, revokeNow),
      state: { state: 'Asked', trouble: '' },
      mayBeWritten: false,
    }));
  }

  /**
   * Asks the operator, and says what comes of it.
   * @param timeout milliseconds; undefined: only what the operator says at first
   * @throws CommandFailure where it was to be waited for and is not done; what a request fails with
   */
  async run(timeout: number | undefined): Promise<void> {
    if (this.#asked.length === 0) return;
    const { terminal } = this.#context;
    try {
      await this.#request();
      await waitFor(this.#context, timeout ?? FIRST_LOOK, () => this.#look(timeout !== undefined));
    } finally {
      if (this.#revokeNow) await this.#restore();
    }
    for (const { token, state } of this.#asked.slice(0, MAX_TOLD))
      terminal.write(`${tokenTitle(token)} ${describe(state)}\n`);
    const left = this.#asked.filter(({ state }) => state.state !== 'Rotated');
    if (timeout === undefined || left.length === 0) return;
    throw new CommandFailure(
      `${left.length} of ${this.#asked.length} not rotated yet`,
      'the request stands, and the operator acts on it when it can; see why with: kubectl registrytoken why NAME',
    );
  }

  async #request(): Promise<void> {
    const { client, signal, terminal } = this.#context;
    for (const each of this.#asked) {
      const { token, request } = each;
      signal.throwIfAborted();
      each.mayBeWritten = true;
      try {
        await client.mergePatch(REGISTRY_TOKENS, token.metadata, requestPatch(request), { signal });
      } catch (error) {
        // What got no answer, or that of a server in trouble, can have been written all the same.
        if (error instanceof KubeError && error.status !== undefined && error.status < 500)
          each.mayBeWritten = false;
        throw error;
      }
      terminal.write(`${tokenTitle(token)} rotation requested\n`);
    }
  }

  async #look(toTheEnd: boolean): Promise<Look<true>> {
    for (const each of this.#asked)
      if (each.state.state !== 'Rotated') each.state = rotationState(await this.#read(each), each.request);
    const open = this.#asked.filter(({ state }) => state.state !== 'Rotated');
    const isSettled = ({ state }: Asked): boolean => !toTheEnd && state.state === 'Held';
    if (open.every(isSettled)) return { done: true };
    const [first] = open;
    const done = this.#asked.length - open.length;
    const count = this.#asked.length > 1 ? `${done} of ${this.#asked.length} rotated; ` : '';
    return { waiting: `${count}${first ? `${first.token.metadata.name} ${describe(first.state)}` : ''}` };
  }

  #read({ token: { metadata } }: Asked): Promise<RegistryToken> {
    const { client, signal } = this.#context;
    return client.get<RegistryToken>(REGISTRY_TOKENS, metadata, { signal });
  }

  /** Gives back the grace periods, also when it is ended before its time: nobody else would. What it can't give back it tells. */
  async #restore(): Promise<void> {
    const { terminal } = this.#context;
    for (const { token, state } of this.#asked.filter(({ mayBeWritten }) => mayBeWritten)) {
      const isWritten = state.state === 'Rotated' || state.state === 'Revoking';
      const keeps = isWritten
        ? await this.#giveBack(token)
        : 'so that its previous token is revoked once it is rotated';
      if (keeps === undefined) continue;
      terminal.tell(
        `${objectKey(token.metadata)} keeps rotation.gracePeriod 0s, ${keeps}; give back what was there then with:\n  ${restoringCommand(token)}\n`,
      );
    }
  }

  /** Heeds no Ctrl-C: it is there to clean up after one. @returns why it could not, if it could not */
  async #giveBack(token: RegistryToken): Promise<string | undefined> {
    const { client } = this.#context;
    try {
      await client.mergePatch(REGISTRY_TOKENS, token.metadata, restoringPatch(token));
      return undefined;
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      return error.isNotFound ? undefined : `which could not be changed back (${plain(error.message)})`;
    }
  }
}

function describe(state: RotationState): string {
  switch (state.state) {
    case 'Rotated':
      return `rotated, revision ${state.revision}`;
    case 'Revoking':
      return `rotated; ${state.left} previous to be revoked${state.message === '' ? '' : `: ${state.message}`}`;
    case 'Held':
      return `not rotated yet, ${state.reason}: ${state.message}`;
    case 'Asked':
      return `not rotated yet${state.trouble === '' ? ', the operator is at it' : `; its status says ${state.trouble}`}`;
  }
}
