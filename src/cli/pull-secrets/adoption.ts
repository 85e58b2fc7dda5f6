import { API_VERSION } from '../../api/names.ts';
import type { RegistryAccount } from '../../api/registry-account.ts';
import { InvalidSpec, readTokenSpec, type Access, type RegistryToken } from '../../api/registry-token.ts';
import { firstOf, shorten } from '../../api/syntax/text.ts';
import { examine } from '../../token/decide/eligibility.ts';
import { wantedSecret } from '../../token/secret/claimants.ts';
import { SECRET_TYPE, type Secret } from '../../token/secret/secret.ts';
import type { NewToken } from '../new-token.ts';
import { fitAccount, type ServingAccount } from './account-choice.ts';
import { readDockerConfig, type RegistryEntry } from './docker-config.ts';
import { keeperOf, type Keeper } from './keeper.ts';

/** A pull secret that is to become a RegistryToken's, and all that decides whether it can. */
export interface AdoptionRequest {
  secret: Secret;
  namespace: { name: string; labels: Readonly<Record<string, string>>; terminating: boolean };
  /** To choose from. */
  accounts: readonly RegistryAccount[];
  /** The RegistryTokens of the namespace. */
  tokens: readonly RegistryToken[];
  /** The ServiceAccounts of the namespace that name the Secret. */
  serviceAccounts: readonly string[];
  access: Access;
  scope: readonly string[];
  /** See `fitAccount`. */
  widen: boolean;
}

/** The remark tells who else writes the Secret, if anybody does; each hindrance is a sentence. */
export type Adoption = { token: NewToken; remark: string | undefined } | { hindrances: readonly string[] };

/** ServiceAccounts that a RegistryToken can name. */
const MAX_SERVICE_ACCOUNTS = 128;
/** Of accounts, hosts and ServiceAccounts. */
const MAX_NAMED = 3;

/** The RegistryToken that adopts a pull secret, or all that keeps it from being adopted. */
export function planAdoption(request: AdoptionRequest): Adoption {
  const { secret, tokens } = request;
  const keeper = keeperOf(secret.metadata, []);
  const config = readDockerConfig(secret);
  const entries = 'flaw' in config ? [] : config.entries;
  const hindrances = [
    ...claimHindrances(secret, tokens),
    ...keeperHindrances(secret, keeper),
    ...('flaw' in config ? [`it ${config.flaw}`] : hostHindrances(config.entries)),
    ...serviceAccountHindrances(request.serviceAccounts),
  ];
  if (hindrances.length > 0) return { hindrances };
  const choice = chooseAccount(request, entries);
  if ('hindrances' in choice) return choice;
  return { token: manifest(request, choice), remark: keeper && copierRemark(keeper) };
}

function claimHindrances({ metadata }: Secret, tokens: readonly RegistryToken[]): string[] {
  const claimant = tokens.find((token) => wantedSecret(token) === metadata.name);
  if (claimant)
    return [
      claimant.spec.secret?.adopt === true || claimant.status?.secretRef?.name === metadata.name
        ? `RegistryToken ${claimant.metadata.name} has it, or is about to`
        : `RegistryToken ${claimant.metadata.name} asks for it already: set spec.secret.adopt of that to true`,
    ];
  const namesake = tokens.some((token) => token.metadata.name === metadata.name);
  return namesake
    ? [
        `there is a RegistryToken ${metadata.name} for another Secret: rename that, or write one for this Secret by hand`,
      ]
    : [];
}

function keeperHindrances(secret: Secret, keeper: Keeper | undefined): string[] {
  const { type = 'Opaque', immutable = false, metadata } = secret;
  const controller = metadata.ownerReferences?.find((owner) => owner.controller === true);
  const another =
    'have pods name a RegistryToken’s Secret of another name beside it, and delete it when they have that';
  return [
    ...(type === SECRET_TYPE ? [] : [`it has the type ${type}, which can't be changed: ${another}`]),
    ...(immutable ? [`it is immutable: ${another}`] : []),
    ...(controller
      ? [
          `it belongs to ${controller.kind} ${controller.name}: set the deletionPolicy of that to Retain if it has one, then delete it with --cascade=orphan`,
        ]
      : keeper?.does === 'Rotates'
        ? [`${keeper.name} keeps it: have that stop first`]
        : []),
  ];
}

function hostHindrances(entries: readonly RegistryEntry[]): string[] {
  const odd = entries
    .filter(({ host }) => host === undefined)
    .map(({ key }) => JSON.stringify(shownKey(key)));
  return odd.length === 0
    ? []
    : [
        `it names ${firstOf(odd, MAX_NAMED)}, which is no host of a registry: take that out, since it would be lost`,
      ];
}

/** A URL can hold a user and a password. */
const shownKey = (key: string): string => shorten(key.slice(key.lastIndexOf('@') + 1), 64);

function serviceAccountHindrances(names: readonly string[]): string[] {
  return names.length <= MAX_SERVICE_ACCOUNTS
    ? []
    : [`${names.length} ServiceAccounts name it, and a RegistryToken takes ${MAX_SERVICE_ACCOUNTS}`];
}

function chooseAccount(
  request: AdoptionRequest,
  entries: readonly RegistryEntry[],
): ServingAccount | { hindrances: string[] } {
  const { accounts, widen } = request;
  if (accounts.length === 0) return { hindrances: ['there is no RegistryAccount'] };
  const fits = accounts.map((account) => fitAccount(account, entries, widen));
  const serving = fits.filter((fit) => 'provider' in fit);
  if (serving.length === 0)
    return {
      hindrances: fits.flatMap((fit) =>
        'reason' in fit ? [`RegistryAccount ${fit.account.metadata.name} ${fit.reason}`] : [],
      ),
    };
  const verdicts = serving.map((fit) => ({ fit, refusal: refusalOf(request, fit) }));
  const allowed = verdicts.filter(({ refusal }) => refusal === undefined);
  const [only, ...others] = allowed;
  if (only && others.length === 0) return only.fit;
  if (only) {
    const names = allowed.map(({ fit }) => fit.account.metadata.name);
    return { hindrances: [`RegistryAccounts ${names.join(', ')} all serve it: choose one with --account`] };
  }
  return { hindrances: verdicts.flatMap(({ refusal }) => refusal ?? []) };
}

/** Why the operator would not issue the token; undefined where it would. */
function refusalOf(request: AdoptionRequest, serving: ServingAccount): string | undefined {
  const { account, provider } = serving;
  const { apiVersion, kind, metadata, spec } = manifest(request, serving);
  const token = {
    apiVersion,
    kind,
    spec,
    metadata: { ...metadata, uid: '', resourceVersion: '', creationTimestamp: '' },
  };
  try {
    const verdict = examine({
      spec: readTokenSpec(token),
      namespace: request.namespace,
      account,
      offer: provider,
      identity: undefined,
    });
    return 'refusal' in verdict ? verdict.refusal.message : undefined;
  } catch (error) {
    if (error instanceof InvalidSpec) return error.message;
    throw error;
  }
}

function manifest(
  { secret, namespace, access, scope, serviceAccounts }: AdoptionRequest,
  { account, region, extraHosts }: ServingAccount,
): NewToken {
  return {
    apiVersion: API_VERSION,
    kind: 'RegistryToken',
    metadata: { name: secret.metadata.name, namespace: namespace.name },
    spec: {
      accountRef: { name: account.metadata.name },
      ...(region !== undefined && { region }),
      ...(scope.length > 0 && { scope: [...scope] }),
      access,
      secret: { adopt: true, ...(extraHosts.length > 0 && { extraHosts: [...extraHosts] }) },
      ...(serviceAccounts.length > 0 && { serviceAccounts: [...serviceAccounts] }),
    },
  };
}

function copierRemark({ name, object }: Keeper): string {
  const what = object === '' ? '' : ` (${shorten(object, 64)})`;
  return `${name}${what} writes it too: take it out of there in such a way that it is not deleted, or the two change it back and forth`;
}
