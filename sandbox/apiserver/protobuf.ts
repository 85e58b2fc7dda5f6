import { asText, isObject, type Json, type JsonObject } from './json.ts';

/** Where protobuf fields of a message go: by number, their JSON name and what they hold. */
export interface Message {
  [number: number]: [
    name: string,
    kind: 'text' | 'bytes' | 'boolean' | 'number' | Message,
    shape?: 'list' | 'map',
  ];
}

/** Bytes that are not the protobuf message expected. */
export class ProtobufError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ProtobufError';
  }
}

type Field = [number: number, value: bigint | Uint8Array];

/** The fields of a message on the wire (protobuf.dev/programming-guides/encoding). */
function* fieldsOf(bytes: Uint8Array): Generator<Field, void, undefined> {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined || shift > 63n) throw new ProtobufError('a protobuf number does not end');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number): Uint8Array => {
    at += length;
    if (at > bytes.length) throw new ProtobufError('a protobuf field ends early');
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    switch (tag & 7) {
      case 0:
        yield [tag >>> 3, varint()];
        break;
      case 1:
        yield [tag >>> 3, take(8)];
        break;
      case 2:
        yield [tag >>> 3, take(Number(varint()))];
        break;
      case 5:
        yield [tag >>> 3, take(4)];
        break;
      default:
        throw new ProtobufError(`unknown protobuf wire type ${tag & 7}`);
    }
  }
}

/** Reads a message as JSON; fields that the table does not have are left out. @throws ProtobufError */
export function readMessage(message: Message, bytes: Uint8Array): JsonObject {
  const json: JsonObject = {};
  for (const [number, raw] of fieldsOf(bytes)) {
    const field = message[number];
    if (!field) continue;
    const [name, kind, shape] = field;
    if (shape === 'map') json[name] = { ...(isObject(json[name]) ? json[name] : {}), ...entryOf(kind, raw) };
    else if (shape === 'list')
      json[name] = [...(Array.isArray(json[name]) ? json[name] : []), valueOf(kind, raw)];
    else json[name] = valueOf(kind, raw);
  }
  return json;
}

function entryOf(kind: Message[number][1], raw: Field[1]): JsonObject {
  const { key, value = '' } = readMessage({ 1: ['key', 'text'], 2: ['value', kind] }, bytesOf(raw));
  return { [asText(key)]: value };
}

function valueOf(kind: Message[number][1], raw: Field[1]): Json {
  switch (kind) {
    case 'text':
      return Buffer.from(bytesOf(raw)).toString('utf8');
    case 'bytes':
      return Buffer.from(bytesOf(raw)).toString('base64');
    case 'boolean':
      return raw === 1n;
    case 'number':
      return Number(BigInt.asIntN(64, raw as bigint));
    default:
      return readMessage(kind, bytesOf(raw));
  }
}

function bytesOf(raw: Field[1]): Uint8Array {
  if (typeof raw === 'bigint') throw new ProtobufError('a protobuf number stands where bytes are expected');
  return raw;
}
