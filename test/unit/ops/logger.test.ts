import { expect } from 'chai';
import { Redacted } from '../../../src/common/redacted.ts';
import { formatLine } from '../../../src/ops/log-line.ts';
import { createLogger, type LoggerOptions } from '../../../src/ops/logger.ts';
import { SecretScrubber } from '../../../src/ops/secret-scrubber.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJyZWdpc3RyeSJ9.c2lnbmF0dXJl';
const API_KEY = 'a-registered/api "key"';

function logging(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = [];
  const scrubber = new SecretScrubber();
  scrubber.register(new Redacted(API_KEY));
  const write = (line: string): void => void lines.push(line);
  const clock = new VirtualClock(Date.parse('2026-01-01T15:04:05.123Z'));
  const log = createLogger({ level: 'info', format: 'json', clock, scrubber, write, ...options });
  const entry = (): Record<string, unknown> => JSON.parse(lines.at(-1) ?? '') as Record<string, unknown>;
  return { log, lines, entry };
}

class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code = 'Forbidden';
  readonly body = 'the whole answer';
}

describe('logger', () => {
  describe('as JSON', () => {
    it('writes one line with level, time, fields and message', () => {
      const { log, lines } = logging();
      log.child({ controller: 'registrytoken' }).warn({ name: 'app', attempts: 2 }, 'mint failed');
      expect(lines).to.deep.equal([
        '{"level":"warn","time":"2026-01-01T15:04:05.123Z","controller":"registrytoken","name":"app","attempts":2,"msg":"mint failed"}\n',
      ]);
    });

    it('leaves out what is below its level', () => {
      const { log, lines } = logging({ level: 'warn' });
      log.info({}, 'unheard');
      expect(lines).to.be.empty;
    });

    it('writes an error as name, code, message, stack and causes, and nothing that hangs on it', () => {
      const { log, lines, entry } = logging();
      const cause = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', headers: 'cookies' });
      log.error({ error: new ApiError('reading Secret team/app was refused', { cause }) }, 'failed');
      const error = entry()['error'] as Record<string, unknown>;
      expect(error).to.have.all.keys('name', 'code', 'message', 'stack', 'cause');
      expect(error).to.include({ name: 'ApiError', code: 'Forbidden' });
      expect(error['stack']).to.match(/^at .*logger\.test\.ts/);
      expect(error['cause']).to.deep.include({
        name: 'Error',
        code: 'ECONNRESET',
        message: 'read ECONNRESET',
      });
      expect(lines.join('')).not.to.match(/whole answer|cookies/);
    });

    for (const key of ['err', 'error', 'cause', 'anything']) {
      it(`knows an error under ${key}, nested or in a list`, () => {
        const { log, lines } = logging();
        log.error({ [key]: new ApiError('one'), deep: { [key]: [new ApiError('two')] } }, 'failed');
        expect(lines.join('')).to.match(/"message":"one".*"message":"two"/s);
        expect(lines.join('')).not.to.include('whole answer');
      });
    }

    it('writes an error alone, an aggregate, a thrown string and an endless chain of causes', () => {
      const { log, entry } = logging();
      log.error(new ApiError('alone'));
      expect(entry()).to.deep.include({ msg: 'alone' });
      log.error({ error: new AggregateError([new Error('one'), 'two'], 'both') }, '');
      expect(entry()).to.have.nested.property('error.errors[0].message', 'one');
      expect(entry()).to.have.nested.property('error.errors[1].message', 'two');
      const loop = new Error('loop');
      loop.cause = loop;
      log.error({ error: loop }, '');
      expect(entry()).to.have.nested.property('error.cause.cause.message', 'loop');
    });

    it('says only the size of bytes, and stops at a depth', () => {
      const { log, entry } = logging();
      const loop: Record<string, unknown> = {};
      loop['self'] = loop;
      log.info({ body: Buffer.from('abc'), loop }, '');
      expect(entry()).to.include({ body: '[3 bytes]' });
      expect(JSON.stringify(entry()['loop'])).to.include('[…]');
    });
  });

  describe('keeps secrets', () => {
    const leaks: [string, (log: ReturnType<typeof createLogger>, secret: string) => void][] = [
      ['in a message', (log, secret) => log.info({}, `with ${secret}`)],
      ['in a message without fields', (log, secret) => log.info(`with ${secret}`)],
      ['in a format argument', (log, secret) => log.info('with %s', secret)],
      ['in a field', (log, secret) => log.info({ token: secret }, 'x')],
      ['in a nested field', (log, secret) => log.info({ a: { b: [{ c: `Bearer ${secret}` }] } }, 'x')],
      ['in a key', (log, secret) => log.info({ [secret]: 1, a: { [secret]: 2 } }, 'x')],
      ['in a child', (log, secret) => log.child({ secret }).info({}, 'x')],
      ['in a message prefix', (log, secret) => log.child({}, { msgPrefix: secret }).info({}, 'x')],
      ['in an error message and stack', (log, secret) => log.error({ error: new Error(secret) }, 'x')],
      ["in a cause's message", (log, secret) => log.error(new Error('x', { cause: new Error(secret) }))],
      ['in a thrown string', (log, secret) => log.error(new Error('x', { cause: secret }))],
    ];
    for (const format of ['json', 'text'] as const) {
      for (const [place, leak] of leaks) {
        it(`${place} (${format})`, () => {
          for (const secret of [JWT, API_KEY]) {
            const { log, lines } = logging({ format });
            leak(log, secret);
            const written = lines.join('');
            expect(written).to.include('[redacted]');
            expect(written).not.to.include(secret);
            expect(written).not.to.include(JSON.stringify(secret).slice(1, -1));
          }
        });
      }
    }

    it('and the line stays JSON', () => {
      const { log, entry } = logging();
      log.info({ [API_KEY]: API_KEY, path: `C:\\${API_KEY}\n` }, JWT);
      expect(entry()).to.include({ '[redacted]': '[redacted]', path: 'C:\\[redacted]\n', msg: '[redacted]' });
    });
  });

  describe('as text', () => {
    it('writes time, level, message and fields', () => {
      const { log, lines } = logging({ format: 'text' });
      log.info({ namespace: 'team', name: 'app', left: 'a while', why: '', regions: ['eu'] }, 'token issued');
      expect(lines).to.deep.equal([
        '15:04:05.123 INFO  token issued  namespace=team name=app left="a while" why="" regions=["eu"]\n',
      ]);
    });

    it('writes errors below, with their causes', () => {
      const { log, lines } = logging({ format: 'text' });
      const cause = Object.assign(new Error('reset'), { code: 'ECONNRESET', stack: '' });
      const error = Object.assign(new ApiError('refused\nfor good', { cause }), {
        stack: 'x\n    at y.ts:1',
      });
      log.error({ error, name: 'app' }, 'failed');
      expect(lines.join('').split('\n')).to.deep.equal([
        '15:04:05.123 ERROR failed  name=app',
        '    ApiError (Forbidden): refused',
        '    for good',
        '      at y.ts:1',
        '    caused by Error (ECONNRESET): reset',
        '',
      ]);
    });

    it('shows control characters of others as escapes: none of them begins a line, or steers the terminal', () => {
      const { log, lines } = logging({ format: 'text' });
      const text = 'x\n\u001b[2J\u009b1m';
      log.error(
        { error: Object.assign(new Error(text), { stack: '' }), name: '\u001b[31m' },
        `held by ${text}`,
      );
      const [head, first, second] = lines.join('').split('\n');
      expect(head).to.equal('15:04:05.123 ERROR held by x\\u000a\\u001b[2J\\u009b1m  name=\\u001b[31m');
      expect([first, second]).to.deep.equal(['    Error: x', '    \\u001b[2J\\u009b1m']);
    });

    it('leaves a line alone that is no JSON', () => {
      expect(formatLine('{"port":[redacted]}\n')).to.equal('{"port":[redacted]}\n');
    });
  });
});
