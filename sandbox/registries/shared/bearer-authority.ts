import { BearerSigner } from './bearer-signer.ts';
import type { SelfSignedCertificate } from '../../self-signed-certificate.ts';

/** The signer of a fake's bearer tokens, made when it is first needed. */
export class BearerAuthority {
  readonly #now: () => number;
  readonly #created: (signer: BearerSigner) => void;
  #signer: Promise<BearerSigner> | undefined;

  /**
   * @param saved what an earlier process made
   * @param created called with a signer that is new
   */
  constructor(
    now: () => number,
    saved?: SelfSignedCertificate,
    created: (signer: BearerSigner) => void = () => undefined,
  ) {
    this.#now = now;
    this.#created = created;
    if (saved) this.#signer = Promise.resolve(new BearerSigner(saved));
  }

  readonly signer = (): Promise<BearerSigner> => {
    this.#signer ??= BearerSigner.create(this.#now()).then((signer) => {
      this.#created(signer);
      return signer;
    });
    return this.#signer;
  };

  /** The certificate that a registry needs to accept the bearer tokens (its rootcertbundle), PEM. */
  async certificate(): Promise<string> {
    return (await this.signer()).saved.certificate;
  }
}
