import type { IssuedToken } from '../../registry/port.ts';
import type { TokenKey } from '../../token/lifecycle/place.ts';
import type { Credential } from '../../token/secret/secret.ts';
import { heldCredential, versionOf } from '../../token/secret/secret-view.ts';
import type { FormerSecrets } from './former-secrets.ts';
import type { Memory } from './memory.ts';
import type { Task } from './progress.ts';
import type { TaggedTokens } from './tagged-tokens.ts';

export interface CredentialFinderOptions {
  memory: Memory;
  formerSecrets: Pick<FormerSecrets, 'credential'>;
  tagged: Pick<TaggedTokens, 'readBack'>;
}

/** Finds the value of a token that was issued earlier. */
export class CredentialFinder {
  readonly #options: CredentialFinderOptions;

  constructor(options: CredentialFinderOptions) {
    this.#options = options;
  }

  /**
   * The credential of the token in force: as this process got it, as it stands intact in the Secret, or in the one of the name
   * before; only then the registry is asked. What a Secret gives is not remembered: whoever may write the Secret may write another
   * value there.
   * @returns undefined where the registry no longer has it, or gives no value back; which of them is remembered
   * @throws KubeError, RegistryError
   */
  async find(
    { token, status, secret }: Task,
    record: TokenKey,
    signal: AbortSignal,
  ): Promise<Credential | undefined> {
    const { memory, formerSecrets, tagged } = this.#options;
    const { uid } = token.metadata;
    const known = memory.recall(uid, record);
    if (known) return credentialOf(known);
    const { id } = record;
    const held = heldCredential(secret, id) ?? (await formerSecrets.credential(token, status, id, signal));
    if (held) return held;
    const issued = await tagged.readBack(token, signal);
    if (issued === 'gone') memory.markGone(uid, record);
    else if (issued === 'withheld') memory.markValueLost(uid, record, versionOf(secret));
    else return credentialOf(issued);
    return undefined;
  }
}

const credentialOf = ({ id, username, value }: IssuedToken): Credential => ({ tokenId: id, username, value });
