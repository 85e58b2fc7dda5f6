export const CONFIG_MAPS = (namespace: string): string => `/api/v1/namespaces/${namespace}/configmaps`;
export const SECRETS = (namespace: string): string => `/api/v1/namespaces/${namespace}/secrets`;

export function configMap(name: string, data?: Record<string, string>): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, ...(data && { data }) };
}

export function secret(name: string, data?: Record<string, string>): object {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, ...(data && { data }) };
}
