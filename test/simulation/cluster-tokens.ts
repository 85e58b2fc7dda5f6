import type { ClusterRegistryToken } from '../../src/api/cluster-registry-token.ts';
import { API_VERSION, ROTATE_ANNOTATION } from '../../src/api/names.ts';
import type { RegistryTokenSpec } from '../../src/api/registry-token.ts';
import { CLUSTER_REGISTRY_TOKENS } from '../../src/api/resources.ts';
import { NAMESPACES } from '../../src/kube/client/resources.ts';
import { clusterTokensOf } from './cluster-token-audit.ts';
import type { Dice } from './dice.ts';
import { TEAMS, type World } from './world.ts';

/** One of the names is that of RegistryTokens which users create themselves. */
const NAMES = ['everywhere', 'app'];
const LABEL = 'pull';
const LABELS = [{ [LABEL]: 'yes' }, { [LABEL]: 'no' }, {}];
const SELECTORS: ClusterRegistryToken['spec']['namespaceSelector'][] = [
  {},
  { matchLabels: { [LABEL]: 'yes' } },
  { matchExpressions: [{ key: LABEL, operator: 'Exists' }] },
  { matchExpressions: [{ key: LABEL, operator: 'NotIn', values: ['yes'] }] },
];

/** What administrators do with ClusterRegistryTokens, and with the namespaces that they select. */
export class ClusterTokenDeeds {
  readonly #world: World;
  readonly #dice: Dice;
  /** A spec that the registry of its account takes. */
  readonly #someSpec: () => RegistryTokenSpec;
  #changes = 0;

  constructor(world: World, dice: Dice, someSpec: () => RegistryTokenSpec) {
    this.#world = world;
    this.#dice = dice;
    this.#someSpec = someSpec;
  }

  /** Whether there is none that could be changed. */
  get none(): boolean {
    return this.#lasting().length === 0;
  }

  /** Labels for a namespace that is created. */
  someLabels(): Record<string, string> {
    return this.#dice.pick<Record<string, string>>(LABELS);
  }

  async create(): Promise<void> {
    await this.#world.user.create(CLUSTER_REGISTRY_TOKENS, {
      apiVersion: API_VERSION,
      kind: 'ClusterRegistryToken',
      metadata: { name: this.#dice.pick(NAMES) },
      spec: { namespaceSelector: this.#dice.pick(SELECTORS), template: this.#someTemplate() },
    });
  }

  async change(): Promise<void> {
    const { name } = this.#some().metadata;
    const namespaceSelector = this.#dice.pick(SELECTORS);
    const template = this.#someTemplate();
    const spec = this.#dice.pick([{ namespaceSelector }, { template }, { namespaceSelector, template }]);
    const operations = Object.entries(spec).map(([key, value]) => ({
      op: 'add' as const,
      path: `/spec/${key}`,
      value: value as unknown,
    }));
    await this.#world.user.jsonPatch(CLUSTER_REGISTRY_TOKENS, { name }, operations);
  }

  async rotate(): Promise<void> {
    const { name } = this.#some().metadata;
    const annotations = { [ROTATE_ANNOTATION]: `for all ${++this.#changes}` };
    await this.#world.user.mergePatch(CLUSTER_REGISTRY_TOKENS, { name }, { metadata: { annotations } });
  }

  async delete(): Promise<void> {
    const { name } = this.#some().metadata;
    await this.#world.user.delete(CLUSTER_REGISTRY_TOKENS, { name });
  }

  async labelNamespace(): Promise<void> {
    const labels = { [LABEL]: this.#dice.pick(['yes', 'no', null]) };
    await this.#world.user.mergePatch(NAMESPACES, { name: this.#dice.pick(TEAMS) }, { metadata: { labels } });
  }

  #lasting(): ClusterRegistryToken[] {
    return clusterTokensOf(this.#world).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  #some(): ClusterRegistryToken {
    return this.#dice.pick(this.#lasting());
  }

  #someTemplate(): ClusterRegistryToken['spec']['template'] {
    const labels = this.#dice.pick<Record<string, string>>([
      {},
      { team: 'red' },
      { team: 'blue', more: '1' },
    ]);
    return { metadata: { labels }, spec: this.#someSpec() };
  }
}
