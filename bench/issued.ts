import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { API_VERSION } from '../src/api/names.ts';
import type { RegistryToken } from '../src/api/registry-token.ts';
import { REGISTRY_TOKENS } from '../src/api/resources.ts';
import type { KubeObject } from '../src/common/objects.ts';
import { NAMESPACES, SECRETS } from '../src/kube/client/resources.ts';
import { copiesOf, withSecretWritten, type DueAt, type Issued } from './copies.ts';
import { namespaceOf } from './objects.ts';
import type { BundledOperator } from './operator.ts';
import type { Bench } from './scenario.ts';
import type { Stage, Trial } from './stage.ts';

/** Has the operator issue one token. */
export async function issueOne(stage: Stage, operator: BundledOperator): Promise<Issued> {
  await using trial = await stage.trial();
  const { client, cluster } = trial;
  const observer = await trial.observe();
  await using process = await operator.start(cluster.kubeconfig);
  const name = { namespace: namespaceOf(0), name: 'app-to-copy' };
  await client.create(REGISTRY_TOKENS, {
    apiVersion: API_VERSION,
    kind: 'RegistryToken',
    metadata: name,
    spec: { lifetime: '24h' },
  });
  await observer.whenReady(1, 1, () => process.check());
  const [token, secret, { metadata }] = await Promise.all([
    client.get<RegistryToken>(REGISTRY_TOKENS, name),
    client.get<KubeObject>(SECRETS, name),
    client.get<KubeObject>(NAMESPACES, { name: 'kube-system' }),
  ]);
  return { token, secret, clusterId: metadata.uid };
}

/**
 * A fresh start among as many RegistryTokens as are to be measured, all of which have their token.
 * @param dueAt when each is to be rotated; unless given, hours later
 */
export async function trialAmongIssued({ stage, count, issued }: Bench, dueAt?: DueAt): Promise<Trial> {
  const { tokens, secrets, atRegistry } = copiesOf(await issued(), count, dueAt);
  const folder = await mkdtemp(join(tmpdir(), 'tokens-'));
  try {
    const file = join(folder, 'tokens.json');
    await writeFile(file, JSON.stringify(atRegistry), { mode: 0o600 });
    const trial = await stage.trial(file);
    const versions = await stage.cluster.store(SECRETS, secrets);
    const written = tokens.map((token, n) => withSecretWritten(token, secrets[n], versions[n]));
    await stage.cluster.store(REGISTRY_TOKENS, written);
    return trial;
  } finally {
    await rm(folder, { recursive: true });
  }
}
