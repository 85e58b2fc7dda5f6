import { expect } from 'chai';
import * as fc from 'fast-check';
import { applyJsonPatch, JsonPatchError } from '../../../sandbox/apiserver/patch/json-patch.ts';
import type { Json, JsonObject } from '../../../sandbox/apiserver/json.ts';
import { LINKS_ANNOTATION } from '../../../src/api/names.ts';
import { linkPatch } from '../../../src/controller/service-accounts/service-account-patch.ts';
import {
  linksOf,
  recordText,
  type Links,
  type ServiceAccount,
} from '../../../src/token/workloads/service-accounts.ts';
import { at } from '../../support/builders.ts';

const name = fc.constantFrom('a', 'b', 's', 't');
const entries = fc.array(fc.record({ name }), { maxLength: 4 });
const record = fc.dictionary(fc.constantFrom('1', '2'), name);
const anyLinks: fc.Arbitrary<Links> = fc.record({ entries, record });

/** As the server gives it: without empty lists and maps. */
function account({ entries: list, record: links }: Links, others: boolean, version = '1'): ServiceAccount {
  const annotations = {
    ...(others && { 'example.com/other': 'x' }),
    ...(Object.keys(links).length > 0 && { [LINKS_ANNOTATION]: recordText('uid', links) }),
  };
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: {
      name: 'builder',
      uid: 'uid',
      resourceVersion: version,
      creationTimestamp: at(0),
      ...(Object.keys(annotations).length > 0 && { annotations }),
    },
    ...(list.length > 0 && { imagePullSecrets: [...list] }),
  };
}

const anyAccount = fc.tuple(anyLinks, fc.boolean()).map(([links, others]) => account(links, others));
const apply = (to: ServiceAccount, patch: ReturnType<typeof linkPatch>): ServiceAccount =>
  applyJsonPatch(to as unknown as JsonObject, patch as unknown as Json[]) as unknown as ServiceAccount;

describe("the patch of a ServiceAccount's pull secrets", () => {
  it('is none, where all is as wanted', () => {
    fc.assert(
      fc.property(anyAccount, (before) => {
        expect(linkPatch(before, linksOf(before))).to.deep.equal([]);
      }),
    );
  });

  it('makes them so, and changes nothing else', () => {
    fc.assert(
      fc.property(anyAccount, anyLinks, (before, wanted) => {
        const after = apply(before, linkPatch(before, wanted));
        expect(linksOf(after)).to.deep.equal(wanted);
        const { [LINKS_ANNOTATION]: _, ...others } = after.metadata.annotations ?? {};
        const { [LINKS_ANNOTATION]: __, ...kept } = before.metadata.annotations ?? {};
        expect(others).to.deep.equal(kept);
      }),
    );
  });

  it('takes the list and the record away with the last of their entries', () => {
    const before = account({ entries: [{ name: 's' }], record: { 1: 's' } }, true);
    const after = apply(before, linkPatch(before, { entries: [], record: {} }));
    expect(after).not.to.have.property('imagePullSecrets');
    expect(after.metadata.annotations).to.deep.equal({ 'example.com/other': 'x' });
  });

  it('fails rather than undo what somebody else wrote meanwhile', () => {
    fc.assert(
      fc.property(anyAccount, anyAccount, anyLinks, (seen, now, wanted) => {
        const changed = { ...now, metadata: { ...now.metadata, resourceVersion: '2' } };
        const patch = linkPatch(seen, wanted);
        let after: ServiceAccount;
        try {
          after = apply(changed, patch);
        } catch (error) {
          expect(error).to.be.instanceOf(JsonPatchError);
          return;
        }
        const { entries: list, record: links } = linksOf(changed);
        const untouched = linksOf(after);
        // Each part either was as seen, or is left as it is.
        if (JSON.stringify(linksOf(seen).entries) !== JSON.stringify(list))
          expect(untouched.entries).to.deep.equal(list);
        if (JSON.stringify(linksOf(seen).record) !== JSON.stringify(links) && Object.keys(links).length > 0)
          expect(untouched.record).to.deep.equal(links);
      }),
    );
  });

  it('fails rather than write over a record that came meanwhile, beside an annotation that was there', () => {
    const list = [{ name: 's' }];
    const seen = account({ entries: list, record: {} }, true);
    const now = account({ entries: list, record: { 2: 's' } }, true, '2');
    expect(() => apply(now, linkPatch(seen, { entries: list, record: { 1: 's' } }))).to.throw(JsonPatchError);
  });

  it('goes through where somebody changed something else meanwhile', () => {
    const seen = account({ entries: [{ name: 'a' }], record: { 1: 'a' } }, true);
    const now = { ...seen, metadata: { ...seen.metadata, resourceVersion: '2', labels: { new: '1' } } };
    const wanted = { entries: [{ name: 'b' }], record: { 1: 'b' } };
    expect(linksOf(apply(now, linkPatch(seen, wanted)))).to.deep.equal(wanted);
  });

  it('fails on another ServiceAccount of that name', () => {
    const before = account({ entries: [{ name: 'a' }], record: { 1: 's' } }, true);
    const patch = linkPatch(before, { entries: [{ name: 'a' }, { name: 's' }], record: { 1: 's' } });
    const other = { ...before, metadata: { ...before.metadata, uid: 'other' } };
    expect(() => apply(other, patch)).to.throw(JsonPatchError);
  });

  it('writes the same record as the same text, whatever its order', () => {
    const before = account({ entries: [{ name: 's' }], record: { a: 's', b: 's' } }, true);
    expect(linkPatch(before, { entries: [{ name: 's' }], record: { b: 's', a: 's' } })).to.deep.equal([]);
  });
});
