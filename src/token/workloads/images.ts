const DOCKER_HUB = 'docker.io';
/** Under this name docker stores credentials for it. */
const DOCKER_HUB_INDEX = 'index.docker.io';

/** The registry in an image's name, as docker's reference grammar has it: before the first slash, if it looks like a host. */
export function imageHost(image: string): string {
  const slash = image.indexOf('/');
  const first = image.slice(0, Math.max(slash, 0));
  return /[.:]/.test(first) || first === 'localhost' ? first : DOCKER_HUB;
}

/** Whether an image is from one of these registries. @param hosts as in docker configurations; `*` may stand for the first label */
export function isFrom(image: string, hosts: readonly string[]): boolean {
  const host = imageHost(image);
  return hosts.some((pattern) => matchesHost(pattern, host));
}

/** As kubelet does: `*` for the first label stands for any one (pkg/credentialprovider/keyring.go). @param host of an image */
export function matchesHost(pattern: string, host: string): boolean {
  if (pattern === DOCKER_HUB_INDEX) return host === DOCKER_HUB || host === pattern;
  if (!pattern.startsWith('*.')) return pattern === host;
  const dot = host.indexOf('.');
  return dot > 0 && host.slice(dot) === pattern.slice(1);
}
