import { expect } from 'chai';
import { MAX_OBJECT, readAnswer } from '../../../src/kube/client/answer.ts';
import { KubeError } from '../../../src/kube/client/errors.ts';
import { lines } from '../../../src/kube/transport/lines.ts';

const call = { method: 'GET', path: '/api/v1/secrets' };

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield await Promise.resolve(Buffer.from(text));
}

const failureOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'nothing',
    (error: unknown) => error,
  );

describe("the API server's answer", () => {
  it('is read as a whole where it is one object', async () => {
    expect(await readAnswer(call, chunks('{"a":', '"ü"}'))).to.deep.equal({ a: 'ü' });
  });

  it('is read item by item where it is a list, each before the next arrives', async () => {
    const kept: unknown[] = [];
    const parts = chunks('{"metadata":{"resourceVersion":"7"},"items":[{"n":1,"x":"', 'y"},{"n"', ':2}]}');
    const keep = (item: unknown): unknown => {
      kept.push(item);
      return (item as { n: number }).n;
    };
    expect(await readAnswer({ ...call, keep }, parts)).to.deep.equal({
      metadata: { resourceVersion: '7' },
      items: [1, 2],
    });
    expect(kept).to.deep.equal([{ n: 1, x: 'y' }, { n: 2 }]);
  });

  it('is an empty list where the server writes null', async () => {
    const list = await readAnswer({ ...call, keep: (item) => item }, chunks('{"metadata":{},"items":null}'));
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
    it(`is no list where it is ${text}`, async () => {
      const error = await failureOf(readAnswer({ ...call, keep: () => 0 }, chunks(text)));
      expect(error).to.be.instanceOf(KubeError);
      expect(error).to.have.property(
        'message',
        "GET /api/v1/secrets: the API server's answer is no list of objects",
      );
    });

  it('may have more items than any registry rows', async () => {
    const texts = [
      '{"metadata":{},"items":[',
      ...Array.from({ length: 30 }, () => '{},'.repeat(10_000)),
      '{}]}',
    ];
    const list = await readAnswer({ ...call, keep: () => 0 }, chunks(...texts));
    expect((list as { items: unknown[] }).items).to.have.length(300_001);
  });

  const huge = 'x'.repeat(MAX_OBJECT);
  for (const [what, texts, why] of [
    ['an object beyond all limits', ['{"a":"', huge, '"}'], 'is too long'],
    ['a text that is no JSON', ['{"password": "hush'], 'is not JSON'],
  ] as const) {
    it(`is given up at ${what}, without being quoted`, async () => {
      const error = await failureOf(readAnswer(call, chunks(...texts)));
      expect(error).to.be.instanceOf(KubeError);
      expect(error).to.have.property('message', `GET /api/v1/secrets: the API server's answer ${why}`);
    });

    it(`is given up at ${what} in a list`, async () => {
      const list = chunks('{"items":[', ...texts);
      const error = await failureOf(readAnswer({ ...call, keep: () => 0 }, list));
      expect(error).to.have.property('message', `GET /api/v1/secrets: the API server's answer ${why}`);
    });
  }

  it('is given up at a line of a watch that is longer than any object', async () => {
    const read = async (): Promise<void> => {
      for await (const line of lines(chunks('{}\n', huge, 'x'))) expect(line).to.equal('{}');
    };
    expect(await failureOf(read())).to.be.instanceOf(KubeError);
  });
});
