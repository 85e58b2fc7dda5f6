import { expect } from 'chai';
import { NoProxy } from '../../../src/registry/http/no-proxy.ts';

/** What golang.org/x/net/http/httpproxy makes of the same (proxy_test.go, UseProxyTests, and more). */
describe('NO_PROXY', () => {
  const rows: [except: string, direct: string[], proxied: string[]][] = [
    [
      '',
      ['localhost', '127.0.0.1', '127.0.0.2', '[::1]', 'localhost:8443'],
      ['a.test', '10.0.0.1', '[fd00::1]'],
    ],
    ['*', ['a.test', '10.0.0.1', '[fd00::1]'], []],
    [
      'foo.com',
      ['foo.com', 'bar.foo.com', 'a.b.foo.com', 'FOO.com', 'foo.com.'],
      ['foo.com.test', 'afoo.com'],
    ],
    ['.foo.com', ['bar.foo.com'], ['foo.com', 'afoo.com']],
    ['*.foo.com', ['bar.foo.com'], ['foo.com', 'afoo.com']],
    ['foo.com:443', ['foo.com', 'bar.foo.com'], ['foo.com:8443', 'a.test']],
    ['.foo.com:8443', ['bar.foo.com:8443'], ['bar.foo.com', 'foo.com:8443']],
    [' FOO.com , ,other.test', ['foo.com', 'other.test'], ['a.test']],
    ['10.0.0.0/8', ['10.1.2.3', '10.1.2.3:8443', '[::ffff:a01:203]'], ['11.1.2.3', 'a.test', '[fd00::1]']],
    ['192.168.1.1', ['192.168.1.1', '192.168.1.1:8443'], ['192.168.1.2']],
    ['192.168.1.1:443', ['192.168.1.1'], ['192.168.1.1:8443']],
    ['fd00::/8', ['[fd00::1]', '[fdff::1]:8443'], ['[fe80::1]', '10.0.0.1']],
    ['fd00::1', ['[fd00::1]', '[fd00:0::1]:8443'], ['[fd00::2]']],
    ['[fd00::1]:443', ['[fd00::1]'], ['[fd00::1]:8443']],
    ['10.0.0.0/33,10.0.0.0/x,foo/8,/8,:443,[]:443', [], ['10.0.0.1', 'foo', 'a.test']],
  ];
  for (const [except, direct, proxied] of rows) {
    const exceptions = new NoProxy(except);
    for (const host of direct)
      it(`${JSON.stringify(except)} means ${host}`, () => {
        expect(exceptions.matches(new URL(`https://${host}/`))).to.equal(true);
      });
    for (const host of proxied)
      it(`${JSON.stringify(except)} does not mean ${host}`, () => {
        expect(exceptions.matches(new URL(`https://${host}/`))).to.equal(false);
      });
  }
});
