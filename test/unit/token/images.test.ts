import { expect } from 'chai';
import * as fc from 'fast-check';
import { imageHost, isFrom } from '../../../src/token/workloads/images.ts';

describe("the registry in an image's name", () => {
  for (const [image, host] of [
    ['us.icr.io/team/app:1', 'us.icr.io'],
    ['us.icr.io/team/app@sha256:0123', 'us.icr.io'],
    ['127.0.0.1:5000/app', '127.0.0.1:5000'],
    ['registry:5000/app', 'registry:5000'],
    ['localhost/app', 'localhost'],
    ['app', 'docker.io'],
    ['app:1.2', 'docker.io'],
    ['team/app', 'docker.io'],
    ['', 'docker.io'],
  ] as const)
    it(`${image === '' ? 'nothing' : image}: ${host}`, () => {
      expect(imageHost(image)).to.equal(host);
    });

  it('is what stands before the first slash, or Docker Hub', () => {
    fc.assert(
      fc.property(fc.string(), (image) => {
        expect([image.split('/')[0], 'docker.io']).to.include(imageHost(image));
      }),
    );
  });
});

describe('an image is from a registry of a docker configuration', () => {
  const hosts = ['us.icr.io', '*.example.com', 'registry:5000', 'index.docker.io'];
  for (const [image, expected] of [
    ['us.icr.io/team/app:1', true],
    ['de.icr.io/team/app:1', false],
    ['a.example.com/app', true],
    ['a.b.example.com/app', false],
    ['example.com/app', false],
    ['registry:5000/app', true],
    ['registry:5001/app', false],
    ['nginx', true],
    ['docker.io/library/nginx', true],
  ] as const)
    it(`${image}: ${expected ? 'yes' : 'no'}`, () => {
      expect(isFrom(image, hosts)).to.equal(expected);
    });
});
