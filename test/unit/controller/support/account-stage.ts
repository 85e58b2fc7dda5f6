import { findCondition, type Condition } from '../../../../src/api/conditions.ts';
import type { RegistryAccount, RegistryAccountStatus } from '../../../../src/api/registry-account.ts';
import type { RegistryToken } from '../../../../src/api/registry-token.ts';
import type { ObjectName } from '../../../../src/common/objects.ts';
import type { Redacted } from '../../../../src/common/redacted.ts';
import {
  AccountController,
  type AccountControllerOptions,
} from '../../../../src/controller/account/account-controller.ts';
import { AccountSessions } from '../../../../src/controller/account/account-sessions.ts';
import type { RegistryDirectory } from '../../../../src/registry/directory.ts';
import { RegistryError } from '../../../../src/registry/errors.ts';
import { anAccount, anIssuedToken, type Part } from '../../../support/builders.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';

/** The status of an account whose credentials were seen to be those of registry account `one`. */
export const RECORDED: RegistryAccountStatus = {
  provider: { name: 'ibmRegistryTokens', identity: 'one' },
};

/** One account, its credentials, and an identity service that says whose they are or can't be asked. */
export class AccountStage {
  /** The registry account that the key belongs to; undefined: the identity service is down. */
  owner: string | undefined = 'one';
  /** What the identity service has to say besides. */
  remark: string | undefined;
  /** What the identity service fails with in place of being down. */
  refusal: RegistryError | undefined;
  /** Of the Secret that holds the key. */
  secretVersion = '1';
  tokens: RegistryToken[] = [anIssuedToken()];
  /** undefined: it was deleted. */
  account: RegistryAccount | undefined;
  /** Of the credentials Secret; undefined: there is no such Secret. */
  data: Record<string, string> | undefined = { apikey: Buffer.from('key').toString('base64') };
  /** Warnings logged. */
  readonly warnings: { fields: unknown; message: string }[] = [];
  readonly clock = new VirtualClock();
  readonly sessions = new AccountSessions(
    { forget: () => undefined } as unknown as RegistryDirectory,
    this.clock,
    () => true,
  );
  readonly #controller: AccountController;

  constructor(
    part: Part<RegistryAccount> = { status: RECORDED },
    sweep: AccountControllerOptions['sweep'] = 'revoke',
  ) {
    this.account = anAccount(part);
    const stored = (): object | undefined =>
      this.data && { metadata: { uid: 'secret', resourceVersion: this.secretVersion }, data: this.data };
    const nothing = (): void => undefined;
    const options = {
      account: () => this.account,
      tokensOf: () => this.tokens,
      unreadable: () => this.unreadable,
      client: {
        jsonPatch: (...call: unknown[]) => {
          if (this.unwritable) return Promise.reject(this.unwritable);
          this.written = JSON.stringify(call);
          return Promise.resolve(this.account);
        },
      },
      secrets: {
        read: ({ namespace, name }: ObjectName) => {
          this.read = `${namespace}/${name}`;
          return this.unread ? Promise.reject(this.unread) : Promise.resolve(stored());
        },
      },
      sessions: this.sessions,
      directory: {
        verify: () => {
          this.tried++;
          if (this.refusal) return Promise.reject(this.refusal);
          return this.owner === undefined
            ? Promise.reject(new RegistryError('Unavailable', `no answer (request ${Math.random()})`))
            : Promise.resolve({ identity: this.owner, ...(this.remark && { remark: this.remark }) });
        },
      },
      events: {
        event: (_: unknown, type: string, reason: string) => void this.events.push(`${type} ${reason}`),
      },
      logger: {
        debug: nothing,
        info: nothing,
        warn: (fields: unknown, message: string) => void this.warnings.push({ fields, message }),
        error: nothing,
      },
      clock: this.clock,
      random: () => 0,
      operatorNamespace: 'system',
      sweep,
      protect: (secret: Redacted) => void this.protected.push(secret.reveal()),
      onChange: () => void this.changes++,
    };
    this.#controller = new AccountController(options as unknown as AccountControllerOptions);
  }

  /** Why the status can't be written. */
  unwritable: Error | undefined;
  /** Why the credentials Secret can't be read. */
  unread: Error | undefined;
  /** How often credentials were tried. */
  tried = 0;
  /** The Secret that was read last. */
  read = '';
  readonly events: string[] = [];
  /** What was written to the account last, as JSON. */
  written = '';
  /** Whether there are namespaces whose RegistryTokens are not known. */
  unreadable = false;
  /** Keys that no log may show. */
  readonly protected: string[] = [];
  /** How often others were told that something about the account has changed. */
  changes = 0;

  /** When it is to be looked at again, in milliseconds. */
  async next(): Promise<number | undefined> {
    const result = await this.#controller.reconcile('default', new AbortController().signal);
    return result?.requeueAfter;
  }

  async look(): Promise<{ inUse: boolean; problem: string | undefined }> {
    await this.#controller.reconcile('default', new AbortController().signal);
    return {
      inUse: this.sessions.credentials('default') !== undefined,
      problem: this.sessions.problem('default'),
    };
  }

  /** The Ready condition that is written. */
  async ready(): Promise<Condition | undefined> {
    await this.look();
    return findCondition(this.status.conditions, 'Ready');
  }

  /** The status that was written last. */
  get status(): RegistryAccountStatus {
    const [, , operations] = JSON.parse(this.written) as [
      unknown,
      unknown,
      { path: string; value: RegistryAccountStatus }[],
    ];
    return operations.find(({ path }) => path === '/status')?.value ?? {};
  }

  /** Looks, and has the watch show what was written, if anything was. */
  async lookAndStore(): Promise<RegistryAccountStatus | undefined> {
    this.written = '';
    await this.look();
    if (this.written === '') return undefined;
    if (this.account) this.account = { ...this.account, status: this.status };
    return this.status;
  }
}
