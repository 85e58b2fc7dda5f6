import type { Clock } from '../../../src/common/clock.ts';
import type { BearerSigner } from './bearer-signer.ts';
import { decodeJwt } from './jwt.ts';
import { LEEWAY } from './leeway.ts';
import { json, type Answer, type Request } from './message.ts';
import type { Problems } from '../ibm-registry-tokens/problems.ts';

export interface DoorApiOptions {
  clock: Clock;
  signer: () => Promise<BearerSigner>;
  problems: Problems;
  /** The service as clients name it, where their request does not say. */
  issuer(): string;
}

/**
 * The door of a registry, `/v2/`, as `docker login` sees it: a challenge for who comes without a bearer token, 200 for who
 * has a good one. Behind it is nothing: images are in a real registry, which has a door of its own.
 */
export class DoorApi {
  readonly #options: DoorApiOptions;

  constructor(options: DoorApiOptions) {
    this.#options = options;
  }

  async enter({ headers }: Request): Promise<Answer> {
    const { problems } = this.#options;
    const bearer = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
    if (bearer !== undefined && (await this.#isGood(bearer))) return json(200, {});
    const answer = problems.byStatus('distribution', 401);
    const realm = `http://${headers.host ?? this.#options.issuer()}/oauth/token`;
    // Without quotes, and with a blank: as IBM's registry writes it.
    const challenge = `Bearer realm=${realm}, service=registry`;
    return { ...answer, headers: { ...answer.headers, 'www-authenticate': challenge } };
  }

  async #isGood(bearer: string): Promise<boolean> {
    const { signer, clock } = this.#options;
    if (!(await signer()).hasSigned(bearer)) return false;
    const { nbf, exp } = decodeJwt(bearer)?.claims ?? {};
    const now = clock.now() / 1000;
    return Number(nbf) - LEEWAY <= now && now < Number(exp) + LEEWAY;
  }
}
