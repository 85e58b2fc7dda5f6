import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}

/** An archive without a file in it: two blocks of zeros. */
const EMPTY_TAR = Buffer.alloc(1024);

/**
 * Writes an image with one layer as an OCI layout, tagged `latest`, for `skopeo copy oci:<folder>:latest …`.
 * @param archive the layer, an uncompressed tar; without one it is empty
 */
export async function writeImage(folder: string, archive: Buffer = EMPTY_TAR): Promise<void> {
  const blobs = join(folder, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  const blob = async (mediaType: string, content: Buffer): Promise<Descriptor> => {
    const digest = createHash('sha256').update(content).digest('hex');
    await writeFile(join(blobs, digest), content);
    return { mediaType, digest: `sha256:${digest}`, size: content.length };
  };
  const layer = await blob('application/vnd.oci.image.layer.v1.tar', archive);
  const config = await blob(
    'application/vnd.oci.image.config.v1+json',
    encode({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [layer.digest] } }),
  );
  const manifestType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = await blob(
    manifestType,
    encode({ schemaVersion: 2, mediaType: manifestType, config, layers: [layer] }),
  );
  const annotations = { 'org.opencontainers.image.ref.name': 'latest' };
  await writeFile(
    join(folder, 'index.json'),
    encode({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] }),
  );
  await writeFile(join(folder, 'oci-layout'), encode({ imageLayoutVersion: '1.0.0' }));
}

function encode(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
