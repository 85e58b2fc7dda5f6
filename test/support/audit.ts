import type { FakeRegistry } from '../../sandbox/registries/shared/fake-registry.ts';
import { findCondition } from '../../src/api/conditions.ts';
import type { RegistryAccount } from '../../src/api/registry-account.ts';
import type { PreviousToken, RegistryToken } from '../../src/api/registry-token.ts';
import { REGISTRY_ACCOUNTS, REGISTRY_TOKENS } from '../../src/api/resources.ts';
import { SECRETS } from '../../src/kube/client/resources.ts';
import { providerOf } from '../../src/registry/backends.ts';
import { checksum, PAYLOAD_KEY } from '../../src/token/secret/secret.ts';
import type { SecretObject, World } from './world.ts';

export interface Audit {
  tokens: RegistryToken[];
  /** What is not as it should be once nothing is left to be done; a line for each. */
  complaints: string[];
  /** Ids of tokens that live at the registry and that no RegistryToken names, as its token or as a predecessor in grace. */
  orphans: string[];
}

/** Compares every RegistryToken with its Secret and with the registry. @param fake the registry of all of them */
export async function audit(world: World, fake: FakeRegistry = world.registry): Promise<Audit> {
  const tokens = await world.client.listAll<RegistryToken>(REGISTRY_TOKENS);
  const secrets = await world.client.listAll<SecretObject>(SECRETS);
  const byName = new Map(secrets.map((secret) => [nameOf(secret), secret]));
  const live = new Set(fake.tokens().map(({ id }) => id));
  const accounts = await world.client.listAll<RegistryAccount>(REGISTRY_ACCOUNTS);
  const absences = new Map(
    accounts.map(({ metadata, spec }) => [
      metadata.name,
      providerOf(spec)?.capabilities.settling.absence ?? 0,
    ]),
  );
  const complaints = tokens.flatMap((token) => {
    const problem = problemOf(token, byName.get(nameOf(token)), live, absences, fake);
    return problem === undefined ? [] : [`${nameOf(token)}: ${problem}`];
  });
  const named = new Set(
    tokens.flatMap(({ status }) => [
      status?.token?.id,
      ...(status?.previousTokens ?? []).map(({ id }) => id),
    ]),
  );
  return { tokens, complaints, orphans: [...live].filter((id) => !named.has(id)) };
}

/** What is still to be done for a RegistryToken, by what it says itself; undefined: nothing. */
export function unsettledOf({ metadata, status }: RegistryToken): string | undefined {
  if (metadata.deletionTimestamp !== undefined) return 'is still being deleted';
  const ready = findCondition(status?.conditions, 'Ready');
  if (ready?.status !== 'True' || ready.observedGeneration !== metadata.generation)
    return `Ready is ${ready?.status}, ${ready?.reason}, of generation ${ready?.observedGeneration}, not ${metadata.generation}`;
  if (metadata.annotations?.['pullsecrets.dev/rotate'] !== status?.lastHandledRotate)
    return 'was not rotated';
  return status?.mintIntent ? 'has an open intent' : undefined;
}

export function payloadOf({ data }: SecretObject): string {
  return Buffer.from(data?.[PAYLOAD_KEY] ?? '', 'base64').toString();
}

/** Whether the payload of a Secret is the one that its checksum is of. */
export function isIntact(secret: SecretObject): boolean {
  return secret.metadata.annotations?.['pullsecrets.dev/checksum'] === checksum(payloadOf(secret));
}

function problemOf(
  token: RegistryToken,
  secret: SecretObject | undefined,
  live: ReadonlySet<string>,
  absences: ReadonlyMap<string, number>,
  fake: FakeRegistry,
): string | undefined {
  const { status } = token;
  const unsettled = unsettledOf(token);
  if (unsettled !== undefined) return unsettled;
  const late = status?.previousTokens?.find(
    (each) => isLate(each) && (live.has(each.id) || !isInDoubt(each, absences)),
  );
  if (late) return `its predecessor ${late.id} outlives its grace`;
  const id = status?.token?.id ?? '';
  if (!live.has(id)) return `its token ${id} does not live`;
  if (!secret || !isIntact(secret)) return 'its Secret is missing or damaged';
  const { auths } = JSON.parse(payloadOf(secret)) as { auths: Record<string, { password: string }> };
  const held = Object.values(auths).map(({ password }) => fake.tokenOf(password));
  return held.every((each) => each === id) ? undefined : `its Secret holds ${held.join()}, not ${id}`;
}

const isLate = ({ revokeAt }: PreviousToken): boolean => Date.parse(revokeAt) < Date.now();

/** Whether it is so new that a process that did not revoke it itself can't tell yet that it is revoked. */
const isInDoubt = ({ account, issuedAt }: PreviousToken, absences: ReadonlyMap<string, number>): boolean =>
  Date.now() - Date.parse(issuedAt ?? '') < (absences.get(account) ?? 0);

export const nameOf = ({ metadata }: RegistryToken | SecretObject): string =>
  `${metadata.namespace}/${metadata.name}`;

/** Waits until nothing is left to complain of, and no orphan is left. @throws Error that says what is, after that long */
export function whenInOrder(
  world: World,
  milliseconds: number,
  fake: FakeRegistry = world.registry,
): Promise<Audit> {
  return world.eventually(
    'every RegistryToken is as asked for, and nothing is orphaned',
    async () => {
      const found = await audit(world, fake);
      const wrong = [...found.complaints, ...found.orphans.map((id) => `orphan ${id}`)];
      return wrong.length === 0
        ? { value: found }
        : { seen: `${wrong.length} wrong:\n${wrong.slice(0, 5).join('\n')}` };
    },
    milliseconds,
  );
}
