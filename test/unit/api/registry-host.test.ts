import { expect } from 'chai';
import * as fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { isRegistryHost, registryHost } from '../../../src/api/syntax/host.ts';

/** What kubelet makes of a key under `auths` (BasicDockerKeyring.Add). */
function kubeletKey(key: string): string {
  const { host, pathname } = new URL(/^https?:\/\//.test(key) ? key : `https://${key}`);
  const written = /^(?:https?:\/\/)?([^/]*)/.exec(key)?.[1] ?? host;
  const path = pathname.replace(/^\/v[12]\//, '/');
  return path === '/' ? written : written + path;
}

/** Whether kubelet gives a credential to an image (URLsMatch): label by label, ports as they are. */
function kubeletMatches(key: string, image: string): boolean {
  const split = (host: string): [string[], string] => {
    const [, name = '', port = ''] = /^(\[[^\]]*\]|[^:]*):?(.*)$/.exec(host) ?? [];
    return [name.split('.'), port];
  };
  const [labels, port] = split(key);
  const [others, otherPort] = split(image.replace(/\/.*/, ''));
  if (port !== otherPort || labels.length !== others.length) return false;
  return labels.every((label, index) => label === '*' || label === others[index]);
}

describe('a host of a registry', () => {
  const forms: [form: string, host: string][] = [
    ['us.icr.io', 'us.icr.io'],
    ['us.icr.io:443', 'us.icr.io:443'],
    ['US.ICR.io', 'us.icr.io'],
    ['https://us.icr.io', 'us.icr.io'],
    ['https://us.icr.io/', 'us.icr.io'],
    ['http://us.icr.io:5000/', 'us.icr.io:5000'],
    ['HTTPS://us.icr.io/v2/', 'us.icr.io'],
    ['us.icr.io/v1/', 'us.icr.io'],
    ['us.icr.io/v2', 'us.icr.io'],
    ['us.icr.io/', 'us.icr.io'],
    ['localhost', 'localhost'],
    ['localhost:5000', 'localhost:5000'],
    ['registry:5000', 'registry:5000'],
    ['10.0.0.1:5000', '10.0.0.1:5000'],
    ['10.0.0.1', '10.0.0.1'],
    ['*.example.com', '*.example.com'],
    ['*.Example.com:5000', '*.example.com:5000'],
    ['a-b.c--d.io', 'a-b.c--d.io'],
    ['[::1]:5000', '[::1]:5000'],
    ['[FD00::1]:5000', '[fd00::1]:5000'],
    ['https://[2001:db8:0:0:0:0:0:1]:443/v2/', '[2001:db8:0:0:0:0:0:1]:443'],
  ];
  for (const [form, host] of forms) {
    it(`${form} is ${host}`, () => expect(registryHost(form)).to.equal(host));
  }

  const nonsense = [
    '',
    ' ',
    '/',
    'registry',
    'us.icr.io/team',
    'us.icr.io/v3/',
    'us.icr.io/v2/team',
    'us.icr.io?a=b',
    'us.icr.io#a',
    'me@us.icr.io',
    'https://me:pass@us.icr.io',
    'ftp://us.icr.io',
    '//us.icr.io',
    'https://',
    'us.icr.io:',
    'us.icr.io:0',
    'us.icr.io:0443',
    'us.icr.io:65536',
    'us.icr.io:port',
    '.icr.io',
    'us..icr.io',
    'us.icr.io.',
    '-us.icr.io',
    'us-.icr.io',
    'us_1.icr.io',
    'us.icr.io\n',
    'us.icr.io,de.icr.io',
    '[::1]',
    '[fd00::1]',
    '::1',
    '[::1]:0',
    '[::1%25lo]:5000',
    '[::ffff:10.0.0.1]:5000',
    '[fd00::1::2]:5000',
    '[1:2:3:4:5:6:7:8:9]:5000',
    '[12345::]:5000',
    '*.[::1]:5000',
    '[us.icr.io]:5000',
    '*',
    '*:5000',
    '*.io',
    '*.localhost:5000',
    '*.*.example.com',
    'us.*.io',
    'us.icr.*',
    'app*.example.com',
    '?.example.com',
    '[ab].example.com',
    'us.icr.io:*',
    `${'a.'.repeat(127)}io`,
  ];
  for (const text of nonsense) {
    it(`${JSON.stringify(text)} is none`, () => expect(registryHost(text)).to.equal(undefined));
  }

  describe('goes with images as kubelet matches them', () => {
    const rows: [form: string, image: string, matches: boolean][] = [
      ['us.icr.io', 'us.icr.io/team/app:1', true],
      ['https://us.icr.io/v2/', 'us.icr.io/team/app:1', true],
      ['US.icr.io', 'us.icr.io/team/app:1', true],
      ['us.icr.io', 'de.icr.io/team/app:1', false],
      ['us.icr.io', 'us.icr.io:443/team/app:1', false],
      ['us.icr.io:443', 'us.icr.io/team/app:1', false],
      ['localhost:5000', 'localhost:5000/app', true],
      ['*.example.com', 'a.example.com/app', true],
      ['*.example.com', 'example.com/app', false],
      ['*.example.com', 'a.b.example.com/app', false],
      ['*.example.com', 'a.example.com:5000/app', false],
      ['*.example.com:5000', 'a.example.com:5000/app', true],
      ['*.example.com', 'a.example.org/app', false],
      ['[FD00::1]:5000', '[fd00::1]:5000/app', true],
      ['[fd00::1]:5000', '[fd00::2]:5000/app', false],
    ];
    for (const [form, image, matches] of rows) {
      it(`${form}: ${matches ? 'goes' : 'does not go'} with ${image}`, () => {
        expect(kubeletMatches(registryHost(form) ?? '', image)).to.equal(matches);
      });
    }
  });

  it('means to kubelet what its form did, but for upper case, and stays as it is when read again', () => {
    const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,5}[a-z0-9])?$/);
    const name = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join('.'));
    const port = fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined });
    const around = fc.tuple(
      fc.constantFrom('', 'http://', 'https://'),
      fc.constantFrom('', '/', '/v1/', '/v2/'),
    );
    // A last label of digits only makes it an address, which URL would read in other ways too.
    const hosts = name.filter((text) => !/\.\d[^.]*$/.test(text) && !text.includes('xn--'));
    fc.assert(
      fc.property(hosts, port, around, (text, number, [scheme, path]) => {
        const host = number === undefined ? text : `${text}:${number}`;
        const read = registryHost(scheme + host + path);
        expect(read).to.equal(host);
        expect(read).to.equal(kubeletKey(scheme + host + path));
        expect(registryHost(read ?? '')).to.equal(read);
      }),
    );
  });
});

describe('the rules of the definitions', () => {
  /** What a rule of a definition matches. */
  function patternOf(plural: string, words: string): RegExp {
    const text = readFileSync(
      new URL(`../../../crds/pullsecrets.dev_${plural}.yaml`, import.meta.url),
      'utf8',
    );
    const rules = JSON.stringify(parse(text)).matchAll(/"rule":("(?:[^"\\]|\\.)*"),"message":"([^"]*)"/g);
    const [rule = ''] = [...rules].flatMap(([, each = '""', message = '']) =>
      message.includes(words) ? [JSON.parse(each) as string] : [],
    );
    const [, pattern = ''] = /^self\.matches\('(.*)'\)$/.exec(rule) ?? [];
    return new RegExp(pattern.replaceAll('\\\\', '\\'));
  }

  const part = fc.constantFrom(
    'us',
    'icr',
    'io',
    'localhost',
    'LOCALHOST',
    'A-b',
    '-a',
    'a-',
    '1',
    '',
    '*',
    'a_b',
  );
  const name = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'));
  const group = fc.constantFrom('0', '1', 'fd00', 'ABCD', '12345', '', 'g', '10.0.0.1');
  const address = fc.oneof(
    fc.array(group, { minLength: 1, maxLength: 9 }).map((groups) => groups.join(':')),
    fc.ipV6(),
  );
  const host = fc.oneof(
    name,
    address.map((text) => `[${text}]`),
  );
  const port = fc.oneof(
    fc.constantFrom('', ':', ':0', ':00', ':080', ':65535', ':65536', ':99999', ':100000', ':x'),
    fc.nat(70_000).map((number) => `:${number}`),
  );
  const around = fc.tuple(
    fc.constantFrom('', '', 'http://', 'HTTPS://', 'ftp://'),
    fc.constantFrom('', '', '/', '/v1', '/v2/', '/v3/', '/team', '\n'),
  );
  const texts = fc
    .tuple(host, port, around)
    .map(([each, number, [scheme, path]]) => scheme + each + number + path);

  it('take for extra hosts what the operator takes', () => {
    const pattern = patternOf('registrytokens', 'it takes hosts of registries');
    fc.assert(
      fc.property(texts, (text) => {
        expect(pattern.test(text), text).to.equal(registryHost(text) !== undefined);
      }),
      { numRuns: 5_000 },
    );
  });

  it('take for the host of a region what the operator takes', () => {
    const pattern = patternOf('registryaccounts', 'it takes the host of a registry');
    fc.assert(
      fc.property(texts, (text) => {
        expect(pattern.test(text), text).to.equal(isRegistryHost(text));
      }),
      { numRuns: 5_000 },
    );
  });
});
