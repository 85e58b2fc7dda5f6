import { expect } from 'chai';
import { answerBody, MAX_OBJECT } from '../../../src/kube/client/answer.ts';
import { KubeError } from '../../../src/kube/client/errors.ts';
import type { Call } from '../../../src/kube/transport/transport.ts';
import { lines } from '../../../src/kube/transport/lines.ts';

const call = { method: 'GET', path: '/api/v1/secrets' };

/** What an answer gives that arrives in these pieces. */
function read(asked: Call, ...texts: string[]): unknown {
  const body = answerBody(asked);
  for (const text of texts) body.take(Buffer.from(text));
  return body.end();
}

function failureOf(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error;
  }
}

describe("the API server's answer", () => {
  it('is read as a whole where it is one object', () => {
    expect(read(call, '{"a":', '"ü"}')).to.deep.equal({ a: 'ü' });
  });

  it('is read item by item where it is a list, each before the next arrives', () => {
    const kept: unknown[] = [];
    const parts = ['{"metadata":{"resourceVersion":"7"},"items":[{"n":1,"x":"', 'y"},{"n"', ':2}]}'];
    const keep = (item: unknown): unknown => {
      kept.push(item);
      return (item as { n: number }).n;
    };
    expect(read({ ...call, keep }, ...parts)).to.deep.equal({
      metadata: { resourceVersion: '7' },
      items: [1, 2],
    });
    expect(kept).to.deep.equal([{ n: 1, x: 'y' }, { n: 2 }]);
  });

  it('is an empty list where the server writes null', () => {
    const list = read({ ...call, keep: (item) => item }, '{"metadata":{},"items":null}');
    expect(list).to.deep.equal({ metadata: {}, items: [] });
  });

  for (const text of [
    '{"metadata":{},"items":[5,{}]}',
    '{"metadata":{},"items":[{},null]}',
    '{"metadata":{},"items":[[{}]]}',
    '{"metadata":{},"items":{}}',
    '{"metadata":{}}',
    '{"metadata":null,"items":[]}',
    '{"items":[]}',
    '[]',
    'null',
    '5',
  ])
    it(`is no list where it is ${text}`, () => {
      const error = failureOf(() => read({ ...call, keep: () => 0 }, text));
      expect(error).to.be.instanceOf(KubeError);
      expect(error).to.have.property(
        'message',
        "GET /api/v1/secrets: the API server's answer is no list of objects",
      );
    });

  it('may have more items than any registry rows', () => {
    const texts = [
      '{"metadata":{},"items":[',
      ...Array.from({ length: 30 }, () => '{},'.repeat(10_000)),
      '{}]}',
    ];
    const list = read({ ...call, keep: () => 0 }, ...texts);
    expect((list as { items: unknown[] }).items).to.have.length(300_001);
  });

  const huge = 'x'.repeat(MAX_OBJECT);
  for (const [what, texts, why] of [
    ['an object beyond all limits', ['{"a":"', huge, '"}'], 'is too long'],
    ['a text that is no JSON', ['{"password": "hush'], 'is not JSON'],
  ] as const) {
    it(`is given up at ${what}, without being quoted`, () => {
      const error = failureOf(() => read(call, ...texts));
      expect(error).to.be.instanceOf(KubeError);
      expect(error).to.have.property('message', `GET /api/v1/secrets: the API server's answer ${why}`);
    });

    it(`is given up at ${what} in a list`, () => {
      const error = failureOf(() => read({ ...call, keep: () => 0 }, '{"items":[', ...texts));
      expect(error).to.have.property('message', `GET /api/v1/secrets: the API server's answer ${why}`);
    });
  }

  it('is given up at a line of a watch that is longer than any object', async () => {
    async function* chunks(): AsyncGenerator<Uint8Array> {
      for (const text of ['{}\n', huge, 'x']) yield await Promise.resolve(Buffer.from(text));
    }
    let failure: unknown;
    try {
      for await (const line of lines(chunks())) expect(line).to.equal('{}');
    } catch (error) {
      failure = error;
    }
    expect(failure).to.be.instanceOf(KubeError);
  });
});
