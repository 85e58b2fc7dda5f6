import { writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';

/** A kubeconfig for a server on loopback that asks for no credentials, as kubectl and @kubernetes/client-node read it. */
export function kubeconfigFor(url: string): string {
  const name = 'sandbox';
  const insecure = url.startsWith('http://') ? { 'insecure-skip-tls-verify': true } : {};
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: url, ...insecure } }],
    users: [{ name, user: {} }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: 'default' } }],
    'current-context': name,
  });
}

/** Writes the kubeconfig to a file that only its owner can read. */
export async function writeKubeconfig(path: string, url: string): Promise<void> {
  await writeFile(path, kubeconfigFor(url), { mode: 0o600 });
}
