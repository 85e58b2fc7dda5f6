/** The proxy for HTTPS requests. */
export interface Proxy {
  /** With user and password, where the proxy needs them. */
  url: string;
  /** Hosts that are reached directly, in the form of NO_PROXY; see `NoProxy`. */
  except: string;
}

/**
 * The proxy that leads to registries, by HTTPS_PROXY and NO_PROXY or their names in lower case, which come first as in curl. An
 * address without a scheme is one of http, as curl and Go have it.
 * @throws Error that never quotes the address: it may hold a password
 */
export function registryProxy(env: Readonly<Record<string, string | undefined>>): Proxy | undefined {
  const address = env['https_proxy'] || env['HTTPS_PROXY'];
  if (!address) return undefined;
  const url = URL.parse(address.includes('://') ? address : `http://${address}`);
  if (!url || !/^https?:$/.test(url.protocol) || !isEncoded(url.username) || !isEncoded(url.password))
    throw new Error(
      'HTTPS_PROXY is not a URL such as http://proxy.example:3128, with user and password percent-encoded; correct it, or unset it',
    );
  return { url: url.href, except: env['no_proxy'] || env['NO_PROXY'] || '' };
}

function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
