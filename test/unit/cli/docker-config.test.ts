import { expect } from 'chai';
import { assert, json, oneof, property, string, uint8Array } from 'fast-check';
import {
  DOCKERCFG_TYPE,
  readDockerConfig,
  type DockerConfig,
} from '../../../src/cli/pull-secrets/docker-config.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const read = (content: unknown): DockerConfig => readText(JSON.stringify(content));
const readText = (text: string): DockerConfig =>
  readDockerConfig({
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': base64(text) },
  });

/** Host, user and password of each entry. */
function shown(config: DockerConfig): unknown {
  if ('flaw' in config) return config.flaw;
  return config.entries.map(({ key, host, username, password }) => [key, host, username, password.reveal()]);
}

describe('the docker configuration of a pull secret', () => {
  it('is read with user and password', () => {
    const config = read({ auths: { 'us.icr.io': { username: 'iamapikey', password: 'open sesame' } } });
    expect(shown(config)).to.deep.equal([['us.icr.io', 'us.icr.io', 'iamapikey', 'open sesame']]);
  });

  it('is read under its older type, where hosts have no auths around them', () => {
    const config = readDockerConfig({
      type: DOCKERCFG_TYPE,
      data: { '.dockercfg': base64('{"https://registry.example/v1/":{"auth":"bWU6b3BlbjpzZXNhbWU="}}') },
    });
    expect(shown(config)).to.deep.equal([
      ['https://registry.example/v1/', 'registry.example', 'me', 'open:sesame'],
    ]);
  });

  it('takes auth, with or without padding, before user and password, as kubelet does', () => {
    for (const auth of [base64('me:open sesame'), base64('me:open sesame').replace(/=+$/, '')]) {
      const config = read({ auths: { 'us.icr.io': { username: 'other', password: 'x', auth } } });
      expect(shown(config)).to.deep.equal([['us.icr.io', 'us.icr.io', 'me', 'open sesame']]);
    }
  });

  it('has no host where kubelet matches none, or only a part of a registry', () => {
    for (const key of [
      '',
      'registry',
      'us.icr.io/team',
      'rëgistry.example',
      '\u001b[31mus.icr.io',
      'a b.example',
    ])
      expect(shown(read({ auths: { [key]: {} } }))).to.deep.equal([[key, undefined, '', '']]);
  });

  it('has a flaw where kubelet can’t pull with it', () => {
    expect(readDockerConfig({ type: 'kubernetes.io/dockerconfigjson' })).to.deep.equal({
      flaw: 'has no .dockerconfigjson',
    });
    expect(shown(readText('{'))).to.equal('holds no JSON in .dockerconfigjson');
    for (const content of [null, 3, 'text', [], { auths: [] }, { auths: 'text' }])
      expect(shown(read(content))).to.equal('holds no docker configuration in .dockerconfigjson');
    for (const content of [{}, { auths: null }, { auths: {} }])
      expect(shown(read(content))).to.equal('names no registry in .dockerconfigjson');
    const good = { username: 'me', password: 'open sesame' };
    for (const entry of [
      'text',
      [],
      { auth: 3 },
      { auth: '%%%%' },
      { auth: base64('no colon') },
      { auth: 'bWU6=' },
    ])
      expect(shown(read({ auths: { 'us.icr.io': good, 'bad.example': entry } }))).to.equal(
        "holds an entry in .dockerconfigjson that kubelet can't read",
      );
  });

  it('with names that JavaScript knows is read like any other', () => {
    const config = readText('{"auths":{"__proto__":{"username":"a"},"constructor":{"username":"b"}}}');
    expect(shown(config)).to.deep.equal([
      ['__proto__', undefined, 'a', ''],
      ['constructor', undefined, 'b', ''],
    ]);
  });

  it('as large as a Secret can be is read at once, however deep it is nested', () => {
    expect(shown(readText('['.repeat(700_000)))).to.equal('holds no JSON in .dockerconfigjson');
    const nested = `{"auths":{"a.example":${'{"x":'.repeat(90_000)}1${'}'.repeat(90_000)}}}`;
    expect(shown(readText(nested))).to.deep.equal([['a.example', 'a.example', '', '']]);
    const many = Object.fromEntries(Array.from({ length: 30_000 }, (_, at) => [`h${at}.example`, {}]));
    expect(shown(read({ auths: many }))).to.have.length(30_000);
  });

  it('of any content gives entries or a flaw that quotes nothing of it', () => {
    assert(
      property(oneof(string(), json(), uint8Array().map(String)), (text) => {
        const config = readText(text);
        if ('flaw' in config) expect(config.flaw).to.match(/^(has|holds|names) (no|an) .*\.dockerconfigjson/);
        else expect(config.entries).to.not.have.length(0);
      }),
    );
  });
});
