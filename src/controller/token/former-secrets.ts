import { TOKEN_ID_ANNOTATION } from '../../api/names.ts';
import type { RegistryToken, RegistryTokenStatus } from '../../api/registry-token.ts';
import type { Logger } from '../../common/logger.ts';
import type { KubeObject } from '../../common/objects.ts';
import type { EventRecorder } from '../../kube/events/event-recorder.ts';
import { isWanted, wantedSecret } from '../../token/secret/claimants.ts';
import {
  belongsTo,
  heldToken,
  payloadOf,
  readCredential,
  wrotePayload,
  type Credential,
} from '../../token/secret/secret.ts';
import { idsOf } from '../shared/log-fields.ts';
import type { SecretStore } from './secret-store.ts';
import type { ServiceAccountLinker } from '../service-accounts/service-account-linker.ts';

export interface FormerSecretsOptions {
  secrets: Pick<SecretStore, 'read' | 'removeUnchanged'>;
  watches: {
    /** Metadata of the Secrets in a RegistryToken's namespace that bear its uid. */
    secretsOf(token: RegistryToken): readonly KubeObject[];
    /** RegistryTokens in a namespace that want a Secret of that name. */
    claimants(namespace: string, secretName: string): readonly RegistryToken[];
  };
  linker: Pick<ServiceAccountLinker, 'gives'>;
  events: Pick<EventRecorder, 'event'>;
  logger: Logger;
}

/** The Secrets of former names that stay for now. */
export interface LeftSecrets {
  /** Identifiers of the tokens that they hold: pods can still pull with them. */
  held: readonly string[];
  /** Milliseconds to the next look at them; Infinity where there are none. */
  lookAfter: number;
}

export const NONE_LEFT: LeftSecrets = { held: [], lookAfter: Infinity };
/** Secrets that one look reads: everyone in the namespace can make some that pass for former ones. */
const MAX_READ = 16;
/** Until ServiceAccounts have the new one. */
const SOON = 1_000;
/** Until another RegistryToken has taken it over, which is known at once unless something keeps it from that. */
const LATER = 60_000;

/**
 * The Secrets that a RegistryToken has beside the one it wants: those of names that it wanted before, while ServiceAccounts
 * still have them, or when the operator died between writing the one and deleting the other. A copy that somebody made of
 * one bears the uid as well.
 */
export class FormerSecrets {
  readonly #options: FormerSecretsOptions;

  constructor(options: FormerSecretsOptions) {
    this.#options = options;
  }

  /** Identifiers of the tokens that any of its Secrets hold. */
  held(token: RegistryToken): string[] {
    return this.#options.watches
      .secretsOf(token)
      .flatMap(({ metadata: { annotations } }) => annotations?.[TOKEN_ID_ANNOTATION] ?? []);
  }

  /**
   * The credential of a token as it stands, intact, in a Secret of another name than the wanted one: in that which the status names,
   * or in one that was written before the status could name it.
   * @throws KubeError
   */
  async credential(
    token: RegistryToken,
    { secretRef }: RegistryTokenStatus,
    tokenId: string,
    signal: AbortSignal,
  ): Promise<Credential | undefined> {
    const { secrets, watches } = this.#options;
    const { namespace, uid } = token.metadata;
    const names = new Set(secretRef && [secretRef.name]);
    for (const { metadata } of watches.secretsOf(token)) {
      const { annotations, managedFields } = metadata;
      if (annotations?.[TOKEN_ID_ANNOTATION] === tokenId && wrotePayload(managedFields))
        names.add(metadata.name);
    }
    names.delete(wantedSecret(token));
    for (const name of [...names].slice(0, MAX_READ)) {
      const secret = await secrets.read({ namespace, name }, signal);
      if (!secret || !belongsTo(secret, uid) || heldToken(secret) !== tokenId) continue;
      const credential = readCredential(payloadOf(secret), tokenId);
      if (credential) return credential;
    }
    return undefined;
  }

  /**
   * Deletes those that the operator wrote, except what ServiceAccounts still give to pods, or may (a pod keeps what it was
   * created with), and what another RegistryToken wants, which takes it over in place.
   * @param name of the Secret that stays
   * @returns what is left
   * @throws KubeError
   */
  async remove(token: RegistryToken, name: string, signal: AbortSignal): Promise<LeftSecrets> {
    const { secrets, watches, linker, events, logger } = this.#options;
    const { uid, namespace = '' } = token.metadata;
    const watched = new Map(watches.secretsOf(token).map((secret) => [secret.metadata.name, secret]));
    let left = NONE_LEFT;
    let read = 0;
    for (const former of new Set([token.status?.secretRef?.name ?? name, ...watched.keys()])) {
      if (former === name) continue;
      const known = watched.get(former)?.metadata;
      if (known && !wrotePayload(known.managedFields)) continue;
      const held = known?.annotations?.[TOKEN_ID_ANNOTATION];
      const leave = (lookAfter: number): void => {
        left = {
          held: held === undefined ? left.held : [...left.held, held],
          lookAfter: Math.min(lookAfter, left.lookAfter),
        };
      };
      if (read === MAX_READ || linker.gives(token, former)) {
        leave(SOON);
        continue;
      }
      read++;
      const secret = await secrets.read({ namespace, name: former }, signal);
      if (!secret || secret.metadata.deletionTimestamp !== undefined) continue;
      if (!belongsTo(secret, uid) || !wrotePayload(secret.metadata.managedFields)) continue;
      if (isWanted(token, watches.claimants(namespace, former))) {
        leave(LATER);
        continue;
      }
      await secrets.removeUnchanged(secret, signal);
      const note = `Secret ${former} deleted: Secret ${name} has taken its place`;
      logger.info(idsOf(token), note);
      events.event(token, 'Normal', 'SecretRemoved', note);
    }
    return left;
  }
}
