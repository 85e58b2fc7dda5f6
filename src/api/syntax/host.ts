import { isIPv6 } from 'node:net';

const NAME = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*';
const FORM = new RegExp(
  `^(?:https?://)?(?:\\[([0-9a-f:]+)\\]|((?:\\*\\.(?=[^.]+\\.))?${NAME}))(?::([1-9][0-9]{0,4}))?(?:/(?:v[12]/?)?)?$`,
  'i',
);
const MAX_LENGTH = 253;

/**
 * The host of a registry as the key of a docker configuration, in the one form that kubelet matches images against
 * (pkg/credentialprovider/keyring.go, Add and URLsMatch): without a scheme, without `/v1/` and `/v2/`, which kubelet takes for
 * the host itself, and in lower case, since it compares letter by letter. A port stays: `host` and `host:443` are two hosts.
 *
 * An IPv6 address stands in brackets and with its port, as images write it (distribution/reference, regexp.go): neither zones
 * nor addresses with an IPv4 one in them. Without a port, kubelet would take the brackets for a class of characters.
 *
 * `*` may stand for the first label, and stands for exactly that one. Kubelet knows more patterns, anywhere in a name; but it
 * sends the credential to every host that matches when an image there is pulled, so the domain has to be spelled out: two
 * labels at least. Docker, podman and skopeo do not know patterns.
 * @returns undefined for what is no host, or can't be one in an image's name, such as a single word, which is a repository
 * at Docker Hub; a path, which would narrow the credential down in kubelet and mean nothing to docker
 */
export function registryHost(text: string): string | undefined {
  const match = text.length > MAX_LENGTH ? null : FORM.exec(text);
  if (!match) return undefined;
  const [, address, name = '', port] = match;
  if (Number(port ?? 1) > 65_535) return undefined;
  const host = (address === undefined ? name : `[${address}]`).toLowerCase();
  const recognisable =
    address === undefined
      ? name.includes('.') || port !== undefined || host === 'localhost'
      : port !== undefined && isIPv6(address);
  if (!recognisable) return undefined;
  return port === undefined ? host : `${host}:${port}`;
}

/** Whether a text is the host of one registry, as `registryHost` writes it. */
export function isRegistryHost(text: string): boolean {
  return registryHost(text) === text && !text.startsWith('*');
}
