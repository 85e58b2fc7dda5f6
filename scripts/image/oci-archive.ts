import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { ImageSettings } from './dockerfile.ts';
import { tar, type Entry } from './tar.ts';

export interface OciImage {
  /** The image in an OCI layout, as one tar archive. */
  archive: Buffer;
  /** Of the manifest: the image's name by its contents. */
  digest: string;
  /** Of the layers as they travel, in bytes. */
  compressed: number;
  /** Of the layers as they lie on a node's disk, in bytes. */
  unpacked: number;
}

export interface OciImageOptions {
  /** Name and tag under which a container runtime files it. */
  name: string;
  settings: ImageSettings;
  /** Each becomes a layer, the first one lowest. */
  layers: readonly (readonly Entry[])[];
  architecture: string;
  /** Of the image and of every file in it, seconds since 1970. */
  time: number;
}

interface Blob {
  digest: string;
  content: Buffer;
}

const TYPE = 'application/vnd.oci.image';

/** Builds an image (OCI image format 1.1) whose bytes depend on nothing but the options. */
export function ociImage({ name, settings, layers, architecture, time }: OciImageOptions): OciImage {
  const created = new Date(time * 1000).toISOString();
  const archives = layers.map((entries) => tar(entries, time));
  const packed = archives.map((archive) => blob(gzipSync(archive)));
  const config = jsonBlob({
    created,
    architecture,
    os: 'linux',
    config: {
      User: settings.user,
      WorkingDir: settings.folder,
      Entrypoint: settings.entrypoint,
      Labels: settings.labels,
    },
    rootfs: { type: 'layers', diff_ids: archives.map((archive) => blob(archive).digest) },
  });
  const manifest = jsonBlob({
    schemaVersion: 2,
    mediaType: `${TYPE}.manifest.v1+json`,
    config: { mediaType: `${TYPE}.config.v1+json`, ...sized(config) },
    layers: packed.map((layer) => ({ mediaType: `${TYPE}.layer.v1.tar+gzip`, ...sized(layer) })),
    annotations: settings.labels,
  });
  const index = jsonBlob({
    schemaVersion: 2,
    mediaType: `${TYPE}.index.v1+json`,
    manifests: [
      {
        mediaType: `${TYPE}.manifest.v1+json`,
        ...sized(manifest),
        platform: { architecture, os: 'linux' },
        annotations: { 'io.containerd.image.name': name },
      },
    ],
  });
  const archive = tar(
    [
      file('oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}')),
      file('index.json', index.content),
      ...[config, manifest, ...packed].map(({ digest, content }) =>
        file(`blobs/${digest.replace(':', '/')}`, content),
      ),
    ],
    time,
  );
  return {
    archive,
    digest: manifest.digest,
    compressed: total(packed.map(({ content }) => content)),
    unpacked: total(archives),
  };
}

function blob(content: Buffer): Blob {
  return { digest: `sha256:${createHash('sha256').update(content).digest('hex')}`, content };
}

function jsonBlob(value: object): Blob {
  return blob(Buffer.from(JSON.stringify(value)));
}

function sized({ digest, content }: Blob): { digest: string; size: number } {
  return { digest, size: content.length };
}

function file(path: string, content: Buffer): Entry {
  return { path, mode: 0o644, content: { file: content } };
}

function total(parts: readonly Buffer[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}
