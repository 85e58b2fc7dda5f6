import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';

/** The part of a CycloneDX 1.5 document that is looked at here. */
export interface Bill {
  serialNumber: string;
  metadata: { timestamp?: string; component: { name: string; 'bom-ref': string } };
  components: { 'bom-ref': string; name: string; version: string; scope: 'required' | 'optional' }[];
  dependencies: { ref: string; dependsOn: string[] }[];
}

const NPM = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only'];
const LARGEST = 2 ** 24;

/** npm's CycloneDX bill of the production dependencies, from the lock file. */
export async function billOfMaterials(name: string): Promise<string> {
  const { stdout } = await promisify(execFile)('npm', NPM, { maxBuffer: LARGEST });
  return `${JSON.stringify(production(JSON.parse(stdout) as Bill, name), null, 2)}\n`;
}

/**
 * The required ones of all components, since `npm sbom --omit=dev` also leaves out what production and development have in
 * common; Node, an optional one, comes with the image's base. Without the time, and with a serial number made of the
 * contents: the same dependencies give the same bytes.
 * @param name of the project, for which npm takes its folder's
 */
export function production(bill: Bill, name: string): Bill {
  const { timestamp: _, component, ...metadata } = bill.metadata;
  const components = bill.components.filter(({ scope }) => scope === 'required');
  const kept = new Set([component, ...components].map((each) => each['bom-ref']));
  const reduced: Bill = {
    ...bill,
    serialNumber: '',
    metadata: { ...metadata, component: { ...component, name } },
    components,
    dependencies: bill.dependencies
      .filter(({ ref }) => kept.has(ref))
      .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((each) => kept.has(each)) })),
  };
  return { ...reduced, serialNumber: `urn:uuid:${uuidOf(JSON.stringify(reduced))}` };
}

/** A UUID of version 8 (RFC 9562) made of a text. */
function uuidOf(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
