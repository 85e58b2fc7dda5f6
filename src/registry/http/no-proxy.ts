import { BlockList, isIP } from 'node:net';

/** What reaches a host without the proxy. */
type Exception = (host: string, port: string) => boolean;

/** `host`, `host:port` or `[host]:port`; a plain IPv6 address has colons and no port. */
const PORT = /^(?:\[([^\]]*)\]|([^:]*)):(\d+)$/;
const LOOPBACK = listOf([
  ['127.0.0.0', 8],
  ['::1', 128],
  ['::ffff:127.0.0.0', 104],
]);

/**
 * Which hosts are reached without a proxy, by a NO_PROXY as Go reads it (golang.org/x/net/http/httpproxy): entries separated by
 * commas, each a domain with all hosts below it (`example.com`), the hosts below a domain only (`.example.com`,
 * `*.example.com`), an address, a network (`10.0.0.0/8`, `fd00::/8`) or `*` for everything. A domain or an address with a port
 * means that port only. This machine itself is never reached through a proxy. Names are not looked up: a network matches
 * addresses that stand in a URL.
 */
export class NoProxy {
  readonly #exceptions: readonly Exception[];

  /** @param text invalid entries are ignored */
  constructor(text: string) {
    this.#exceptions = text
      .split(',')
      .map((entry) => entry.trim().toLowerCase())
      .flatMap((entry) => exceptionOf(entry) ?? []);
  }

  matches({ protocol, hostname, port }: URL): boolean {
    const host = bare(hostname).replace(/\.$/, '');
    if (host === 'localhost' || contains(LOOPBACK, host)) return true;
    const actual = port || (protocol === 'https:' ? '443' : '80');
    return this.#exceptions.some((exception) => exception(host, actual));
  }
}

function exceptionOf(entry: string): Exception | undefined {
  if (entry === '') return undefined;
  if (entry === '*') return () => true;
  if (entry.includes('/')) return networkOf(entry);
  const [, bracketed, plain, port] = PORT.exec(entry) ?? [];
  const host = bare(bracketed ?? plain ?? entry);
  if (host === '') return undefined;
  const isPort = (actual: string): boolean => port === undefined || port === actual;
  if (isIP(host)) {
    const address = listOf([[host, isIP(host) === 4 ? 32 : 128]]);
    return (name, actual) => isPort(actual) && contains(address, name);
  }
  const below = host.replace(/^\*?\.?/, '.');
  const itself = /^[*.]/.test(host) ? undefined : host;
  return (name, actual) => isPort(actual) && (name === itself || name.endsWith(below));
}

function networkOf(entry: string): Exception | undefined {
  const [address = '', bits = ''] = entry.split('/');
  const most = isIP(address) === 4 ? 32 : 128;
  if (!isIP(address) || !/^\d{1,3}$/.test(bits) || Number(bits) > most) return undefined;
  const network = listOf([[address, Number(bits)]]);
  return (name) => contains(network, name);
}

function listOf(networks: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [address, bits] of networks) list.addSubnet(address, bits, familyOf(address));
  return list;
}

function contains(list: BlockList, host: string): boolean {
  return isIP(host) > 0 && list.check(host, familyOf(host));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6';
}

/** Without the brackets of an IPv6 address. */
function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}
