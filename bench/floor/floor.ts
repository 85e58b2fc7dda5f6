import {
  API_VERSION,
  CHECKSUM_ANNOTATION,
  FINALIZER,
  MANAGED_BY_LABEL,
  OPERATOR,
  OWNER_NAME_ANNOTATION,
  OWNER_UID_LABEL,
  TOKEN_ID_ANNOTATION,
} from '../../src/api/names.ts';
import type { RegistryToken } from '../../src/api/registry-token.ts';
import { REGISTRY_TOKENS } from '../../src/api/resources.ts';
import { EVENTS, resourcePath, SECRETS } from '../../src/kube/client/resources.ts';
import type { Api } from './api.ts';
import type { Registry } from './registry.ts';

const JSON_PATCH = 'application/json-patch+json';
const HOST = 'registry.test';
const HOUR = 3_600_000;
const PAGE = 500;
const METADATA_ONLY = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

/**
 * The calls that the operator's promises need, and nothing else: nothing is watched, compared, checked, tried again or logged.
 * What is written has the size of what the operator writes.
 */
export class Floor {
  readonly #api: Api;
  readonly #registry: Registry;
  readonly #workers: number;
  #events = 0;

  constructor(api: Api, registry: Registry, workers: number) {
    this.#api = api;
    this.#registry = registry;
    this.#workers = workers;
  }

  /** Reads all RegistryTokens. */
  list(): Promise<RegistryToken[]> {
    return this.#pages<RegistryToken>(resourcePath(REGISTRY_TOKENS), '', 'application/json');
  }

  /** Reads the metadata of all Secrets that the operator manages. */
  listSecrets(): Promise<unknown[]> {
    const ours = `&labelSelector=${encodeURIComponent(`${MANAGED_BY_LABEL}=${OPERATOR}`)}`;
    return this.#pages(resourcePath(SECRETS), ours, METADATA_ONLY);
  }

  async #pages<T>(path: string, selection: string, accept: string): Promise<T[]> {
    const items: T[] = [];
    let from = '';
    do {
      const query = `limit=${PAGE}${selection}${from && `&continue=${from}`}`;
      const page = (await this.#api.ask('GET', `${path}?${query}`, { accept })) as {
        items: T[] | null;
        metadata: { continue?: string };
      };
      items.push(...(page.items ?? []));
      from = page.metadata.continue ?? '';
    } while (from !== '');
    return items;
  }

  /** Does the same to all, as many at a time as there are workers. */
  async each(tokens: readonly RegistryToken[], act: (token: RegistryToken) => Promise<void>): Promise<void> {
    const waiting = tokens.values();
    const work = async (): Promise<void> => {
      for (const token of waiting) await act(token);
    };
    await Promise.all(Array.from({ length: this.#workers }, work));
  }

  /** Finalizer where it is missing, intent, token, Secret, status, event. */
  async issue(token: RegistryToken): Promise<void> {
    const { finalizers = [] } = token.metadata;
    const owned = finalizers.includes(FINALIZER)
      ? token
      : await this.#patch(token, '/metadata/finalizers', [...finalizers, FINALIZER]);
    const revision = (token.status?.token?.revision ?? 0) + 1;
    const intent = { ...this.#place(), revision, phase: 'Announced', reason: 'Initial', startedAt: now() };
    const before = token.status ?? {};
    const announced = await this.#patch(
      owned,
      '/status',
      { ...before, mintIntent: intent, ...this.#condition(token, 'False', 'Issuing') },
      'status',
    );
    const { uid } = token.metadata;
    const { id, value } = await this.#registry.issue(`[pullsecrets.dev:floor:${uid}:${revision}:abcdefgh]`);
    await this.#apply(token, id, value);
    const record = { ...this.#place(), id, revision, issuedAt: now(), expiresAt: now(24 * HOUR) };
    const status = {
      secretRef: { name: token.metadata.name, uid },
      host: HOST,
      token: record,
      lastRotation: { time: now(), reason: 'Initial' },
      nextRotationTime: now(16 * HOUR),
      ...this.#condition(token, 'True', 'Issued'),
    };
    await this.#patch(announced, '/status', status, 'status');
    const note = `Initial: Secret ${token.metadata.name} holds ReadOnly token ${id} that expires at ${now(24 * HOUR)}`;
    await this.#event(announced, 'Issued', note);
  }

  /** Secret, which is not to hold a token that is dead, then the token itself, event, finalizer. */
  async remove(token: RegistryToken): Promise<void> {
    const { namespace, name } = token.metadata;
    const { id } = token.status?.token ?? {};
    await this.#api.ask('DELETE', resourcePath(SECRETS, { namespace, name }));
    if (id !== undefined) {
      await this.#registry.revoke(id);
      await this.#event(token, 'Revoked', `token ${id} revoked`);
    }
    await this.#patch(token, '/metadata/finalizers', []);
  }

  async #patch(
    { metadata: { namespace, name, resourceVersion } }: RegistryToken,
    path: string,
    value: unknown,
    subresource?: 'status',
  ): Promise<RegistryToken> {
    const operations = [
      { op: 'add', path: '/metadata/resourceVersion', value: resourceVersion },
      { op: 'add', path, value },
    ];
    const url = `${resourcePath(REGISTRY_TOKENS, { namespace, name }, subresource)}?fieldManager=floor`;
    return (await this.#api.ask('PATCH', url, {
      body: operations,
      contentType: JSON_PATCH,
    })) as RegistryToken;
  }

  async #apply({ metadata: { namespace = '', name, uid } }: RegistryToken, id: string, value: string) {
    const entry = {
      username: 'token',
      password: value,
      auth: Buffer.from(`token:${value}`).toString('base64'),
    };
    const payload = Buffer.from(JSON.stringify({ auths: { [HOST]: entry } })).toString('base64');
    const manifest = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name,
        namespace,
        labels: { [MANAGED_BY_LABEL]: OPERATOR, [OWNER_UID_LABEL]: uid },
        annotations: {
          [OWNER_NAME_ANNOTATION]: name,
          [TOKEN_ID_ANNOTATION]: id,
          [CHECKSUM_ANNOTATION]: 'f'.repeat(64),
        },
        ownerReferences: [
          {
            apiVersion: API_VERSION,
            kind: 'RegistryToken',
            name,
            uid,
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
      },
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': payload },
    };
    const url = `${resourcePath(SECRETS, { namespace, name })}?fieldManager=${OPERATOR}&force=false`;
    await this.#api.ask('PATCH', url, { body: manifest, contentType: 'application/apply-patch+yaml' });
  }

  async #event(
    { metadata, apiVersion, kind }: RegistryToken,
    reason: 'Issued' | 'Revoked',
    note: string,
  ): Promise<void> {
    const { namespace = '', name, uid, resourceVersion } = metadata;
    await this.#api.ask('POST', `${resourcePath(EVENTS, { namespace })}?fieldManager=floor`, {
      body: {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { name: `${name}.${Date.now().toString(16)}${this.#events++}`, namespace },
        eventTime: new Date().toISOString().replace('Z', '000Z'),
        reportingController: 'floor',
        reportingInstance: 'floor',
        action: reason,
        reason,
        type: 'Normal',
        note,
        regarding: { apiVersion, kind, namespace, name, uid, resourceVersion },
      },
    });
  }

  #place(): object {
    return {
      account: 'default',
      region: 'us-south',
      place: { endpoint: 'http://127.0.0.1:65535', identity: 'bench' },
      access: 'ReadOnly',
      specHash: 'f'.repeat(64),
    };
  }

  #condition({ metadata }: RegistryToken, status: 'True' | 'False', reason: string): object {
    const { generation } = metadata;
    const message = `the Secret holds a token that is to be replaced at ${now(16 * HOUR)}`;
    const ready = {
      type: 'Ready',
      status,
      reason,
      message,
      observedGeneration: generation,
      lastTransitionTime: now(),
    };
    return { observedGeneration: generation, reason, conditions: [ready] };
  }
}

/** RFC 3339, so many milliseconds from now. */
const now = (later = 0): string => new Date(Date.now() + later).toISOString().replace(/\.\d+/, '');
