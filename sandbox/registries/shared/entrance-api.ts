import type { Clock } from '../../../src/common/clock.ts';
import type { BearerSigner } from './bearer-signer.ts';
import { decodeJwt } from './jwt.ts';
import { LEEWAY } from './leeway.ts';
import { json, type Answer, type Request } from './message.ts';

export interface EntranceApiOptions {
  clock: Clock;
  signer: () => Promise<BearerSigner>;
  /** The challenge for a client without a bearer token. @param host as the client names it */
  challenge: (host: string | undefined) => string;
  /** The registry's documented answer of a status. */
  problem: (status: number) => Answer;
}

/**
 * `/v2/` of a registry, as `docker login` sees it: a challenge for a client without a bearer token, 200 for one with a good
 * token. There is nothing behind it: images are in a real registry, which has an entrance of its own.
 */
export class EntranceApi {
  readonly #options: EntranceApiOptions;

  constructor(options: EntranceApiOptions) {
    this.#options = options;
  }

  async enter({ headers }: Request): Promise<Answer> {
    const bearer = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
    if (bearer !== undefined && (await this.#isGood(bearer))) return json(200, {});
    const answer = this.#options.problem(401);
    return {
      ...answer,
      headers: { ...answer.headers, 'www-authenticate': this.#options.challenge(headers.host) },
    };
  }

  async #isGood(bearer: string): Promise<boolean> {
    const { signer, clock } = this.#options;
    if (!(await signer()).hasSigned(bearer)) return false;
    const { nbf, exp } = decodeJwt(bearer)?.claims ?? {};
    const now = clock.now() / 1000;
    return Number(nbf) - LEEWAY <= now && now < Number(exp) + LEEWAY;
  }
}
