import { expect } from 'chai';
import { readSettings } from '../../scripts/image/dockerfile.ts';

const STAGE = `FROM builder AS build
USER nobody
FROM base
# A comment.
LABEL a.title="the operator" \\
      a.version="\${VERSION}"
WORKDIR /app
USER 1:1
ENTRYPOINT ["/program", "--flag=a b"]
`;

describe('settings of a Dockerfile', () => {
  it('are those of its last stage', () => {
    expect(readSettings(STAGE, { VERSION: '1.2.3' })).to.deep.equal({
      user: '1:1',
      folder: '/app',
      entrypoint: ['/program', '--flag=a b'],
      labels: { 'a.title': 'the operator', 'a.version': '1.2.3' },
    });
  });

  it('must all be there', () => {
    expect(() => readSettings(STAGE, {})).to.throw('no value for the argument VERSION');
    for (const name of ['USER', 'WORKDIR', 'ENTRYPOINT', 'LABEL']) {
      const without = STAGE.replaceAll(new RegExp(`^${name} `, 'gm'), `${name}S `);
      expect(() => readSettings(without, { VERSION: '1' })).to.throw(`the last stage has no ${name}`);
    }
  });
});
