import { Redacted } from '../common/redacted.ts';
import type { CredentialsData } from './port.ts';

/** The data of a credentials Secret, without keys that are empty. @param data by key, in base64 as Secrets have it */
export function credentialsData(data: Readonly<Record<string, string>> = {}): CredentialsData {
  const texts = Object.entries(data).map(
    ([key, value]) => [key, Buffer.from(value, 'base64').toString().trim()] as const,
  );
  return new Map(texts.flatMap(([key, text]) => (text === '' ? [] : [[key, new Redacted(text)]])));
}
