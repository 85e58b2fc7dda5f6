import type { Api, Body } from './api.ts';
import { eventually } from './contract.ts';

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

const spec = {
  type: 'object',
  required: ['size'],
  properties: {
    size: { type: 'integer', minimum: 1, maximum: 9 },
    colour: { type: 'string', enum: ['red', 'green'], default: 'red' },
    name: { type: 'string', maxLength: 5, minLength: 2, pattern: '^[a-z]+$' },
    when: { type: 'string', format: 'date-time' },
    paused: { type: 'boolean' },
    tags: { type: 'array', maxItems: 3, 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
    parts: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: {
        type: 'object',
        required: ['name'],
        properties: { name: { type: 'string' }, count: { type: 'integer', default: 1 } },
      },
    },
    steps: { type: 'array', items: { type: 'string' } },
    options: {
      type: 'object',
      default: {},
      properties: { depth: { type: 'integer', default: 3 } },
    },
    shape: { type: 'object', properties: { sides: { type: 'integer', default: 4 } } },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    old: { type: 'string', nullable: true },
  },
  'x-kubernetes-validations': [
    { rule: "self.size != 5 || self.colour == 'green'", message: 'five must be green', fieldPath: '.colour' },
    { rule: 'self.size >= oldSelf.size', message: 'size may not shrink' },
  ],
};

const condition = {
  type: 'object',
  required: ['type', 'status'],
  properties: { type: { type: 'string' }, status: { type: 'string' } },
};

function definition(plural: string, kind: string): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.example.com` },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural, kind, shortNames: [`${plural}x`], categories: ['toys'] },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [
            { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
            { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
            { name: 'When', type: 'date', jsonPath: '.spec.when', priority: 1 },
            { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
          ],
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: {
                spec,
                status: {
                  type: 'object',
                  properties: {
                    seen: { type: 'integer' },
                    conditions: {
                      type: 'array',
                      'x-kubernetes-list-type': 'map',
                      'x-kubernetes-list-map-keys': ['type'],
                      items: condition,
                    },
                  },
                },
              },
            },
          },
        },
      ],
    },
  };
}

/** A kind of custom resource made for one group of specifications. */
export class Things {
  readonly plural: string;
  readonly kind: string;
  readonly #api: Api;

  private constructor(api: Api, plural: string, kind: string) {
    this.#api = api;
    this.plural = plural;
    this.kind = kind;
  }

  /** Defines the kind and waits until it is served. */
  static async define(api: Api): Promise<Things> {
    const kind = api.name('Thing').replace('-', '');
    const things = new Things(api, `${kind.toLowerCase()}s`, kind);
    await api.post(DEFINITIONS, definition(things.plural, kind));
    await eventually(`${kind} is served`, async () =>
      (await api.get(`/apis/example.com/v1/${things.plural}`)).status === 200 ? true : undefined,
    );
    return things;
  }

  get definitionPath(): string {
    return `${DEFINITIONS}/${this.plural}.example.com`;
  }

  path(namespace: string, name = ''): string {
    return `/apis/example.com/v1/namespaces/${namespace}/${this.plural}${name && `/${name}`}`;
  }

  thing(name: string, thingSpec: object = { size: 1 }, more: object = {}): Body {
    return { apiVersion: 'example.com/v1', kind: this.kind, metadata: { name }, spec: thingSpec, ...more };
  }

  async create(namespace: string, name: string, thingSpec: object = { size: 1 }): Promise<Body> {
    return (await this.#api.post(this.path(namespace), this.thing(name, thingSpec))).body;
  }
}
