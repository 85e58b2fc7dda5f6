import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { BearerSigner } from '../shared/bearer-signer.ts';
import { StateError, type State, type StateStore } from './state.ts';

const FORMAT = 1;

/** State in a JSON file that only its owner can read. It is replaced by renaming, so a crash leaves the old or the new one. */
export class StateFile implements StateStore {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  load(): State | undefined {
    let content: string;
    try {
      content = readFileSync(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw this.#error('cannot be read', 'make it readable', error);
    }
    try {
      return parse(content);
    } catch (error) {
      throw this.#error('is damaged', 'move it away to start without the tokens in it', error);
    }
  }

  save(state: State): void {
    const fresh = `${this.#path}.new`;
    try {
      rmSync(fresh, { force: true });
      writeFileSync(fresh, `${JSON.stringify({ format: FORMAT, ...state })}\n`, { mode: 0o600, flag: 'wx' });
      renameSync(fresh, this.#path);
    } catch (error) {
      throw this.#error('cannot be written', 'make room for it, or name another', error);
    }
  }

  #error(problem: string, remedy: string, cause: unknown): StateError {
    const { code, message } = cause as NodeJS.ErrnoException;
    return new StateError(`the state file ${this.#path} ${problem} (${code ?? message}); ${remedy}`, {
      cause,
    });
  }
}

/** Looks for what the rest relies on. Messages name fields, never what they hold. */
function parse(content: string): State {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    throw new Error('it is not JSON');
  }
  const { format, tokens, bearerSigner } = fieldsOf(value, 'the content');
  if (format !== FORMAT) throw new Error(`format is not ${FORMAT}`);
  if (!Array.isArray(tokens)) throw new Error('tokens is not a list');
  for (const [index, token] of tokens.entries()) {
    const fields = fieldsOf(token, `tokens[${index}]`);
    const sound =
      ['id', 'account', 'description', 'value'].every((name) => typeof fields[name] === 'string') &&
      (fields.access === 'ReadOnly' || fields.access === 'ReadWrite') &&
      typeof fields.issuedAt === 'number' &&
      (fields.expiresAt === null || typeof fields.expiresAt === 'number');
    if (!sound) throw new Error(`tokens[${index}] is not a token`);
  }
  if (bearerSigner !== undefined) checkSigner(fieldsOf(bearerSigner, 'bearerSigner'));
  return { tokens, bearerSigner } as State;
}

function checkSigner({ key, certificate }: Record<string, unknown>): void {
  try {
    void new BearerSigner({ key: String(key), certificate: String(certificate) });
  } catch {
    throw new Error('bearerSigner is not a key and a certificate');
  }
}

function fieldsOf(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw new Error(`${name} is not an object`);
  return value as Record<string, unknown>;
}
