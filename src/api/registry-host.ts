const FORM =
  /^(?:https?:\/\/)?((?:\*\.(?=[^.]+\.))?[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*)(?::([1-9][0-9]{0,4}))?(?:\/(?:v[12]\/?)?)?$/i;
const LONGEST = 253;

/**
 * The host of a registry as the key of a docker configuration, in the one form that kubelet matches images against
 * (pkg/credentialprovider/keyring.go, Add and URLsMatch): without a scheme, without `/v1/` and `/v2/`, which kubelet takes for
 * the host itself, and in lower case, since it compares letter by letter. A port stays: `host` and `host:443` are two hosts.
 *
 * `*` may stand for the first label, and stands for exactly that one. Kubelet knows more patterns, anywhere in a name; but it
 * sends the credential to every host that matches when an image there is pulled, so the domain has to be spelled out: two
 * labels at least. Docker, podman and skopeo do not know patterns.
 * @returns undefined for what is no host, or can't be one in an image's name, such as a single word, which is a repository
 * at Docker Hub; a path, which would narrow the credential down in kubelet and mean nothing to docker
 */
export function registryHost(text: string): string | undefined {
  const [, name = '', port] = FORM.exec(text) ?? [];
  if (name === '' || name.length > LONGEST || Number(port ?? 1) > 65_535) return undefined;
  const recognisable = name.includes('.') || port !== undefined || name.toLowerCase() === 'localhost';
  if (!recognisable) return undefined;
  return (port === undefined ? name : `${name}:${port}`).toLowerCase();
}
