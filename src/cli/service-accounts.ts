import type { ServiceAccount } from '../token/workloads/service-accounts.ts';
import { SERVICE_ACCOUNTS } from '../kube/client/resources.ts';
import type { Context } from './context.ts';
import { scan } from './scan.ts';

/**
 * The ServiceAccounts of the namespace that give pods a Secret to pull with, and as little of each as tells that.
 * @throws KubeError, the signal's reason
 */
export async function serviceAccountsNaming(
  { client, namespace, signal }: Pick<Context, 'client' | 'namespace' | 'signal'>,
  secret: string,
): Promise<ServiceAccount[]> {
  const naming: ServiceAccount[] = [];
  await scan(client, SERVICE_ACCOUNTS, { namespace, signal }, () => {
    naming.length = 0;
    return ({ apiVersion, kind, metadata, imagePullSecrets = [] }: ServiceAccount) => {
      if (!imagePullSecrets.some((each) => each.name === secret)) return;
      const { name, uid, resourceVersion, creationTimestamp } = metadata;
      naming.push({
        apiVersion,
        kind,
        metadata: { name, uid, resourceVersion, creationTimestamp },
        imagePullSecrets,
      });
    };
  });
  return naming;
}
