import { shorten } from '../../api/syntax/text.ts';
import type { RegistryEntry } from './docker-config.ts';

/** Characters of a text that whoever wrote the Secret chose. */
const MAX_TEXT = 128;
const PLACEHOLDER = '[redacted]';
/** Different values of a Secret that texts are compared with: beyond these, none is shown. */
const MAX_VALUES = 1_024;
/** Characters of a value that is in a text by more than chance. */
const MIN_VALUE = 4;
/** Characters of a text that is part of a value by more than chance. */
const MIN_PART = 8;

/**
 * Shows what stands beside a value, which can be the value: some registries take a token for user and password, and a URL can hold
 * both.
 */
export function tellerOf(entries: readonly RegistryEntry[]): (text: string) => string {
  const values = new Set(entries.map(({ password }) => password.reveal()).filter((value) => value !== ''));
  if (values.size > MAX_VALUES) return () => PLACEHOLDER;
  return (text) => {
    const isValue = [...values].some(
      (value) =>
        text === value ||
        (value.length >= MIN_VALUE && text.includes(value)) ||
        (text.length >= MIN_PART && value.includes(text)),
    );
    return isValue ? PLACEHOLDER : shortened(text.slice(text.lastIndexOf('@') + 1));
  };
}

/** A text that whoever wrote the Secret chose, as long as a line can take it. */
export const shortened = (text: string): string => shorten(text, MAX_TEXT);
