// The lines of a key file: only the subset of old ClassAd syntax that CredD writes.
import { CodedError } from '../base/errors/errors.ts';

/** An attribute and its line number (from 1). */
export interface KeyAttribute {
  readonly name: string;
  readonly value: string;
  readonly line: number;
}

/**
 * The attributes between two blank lines, by lower-case name, and the line number (from
 * 1) of the first.
 */
export interface KeyAd {
  readonly line: number;
  readonly attributes: ReadonlyMap<string, KeyAttribute>;
}

/** The maximum size of a key file in bytes; CredD writes about 700 for each request. */
export const MAX_KEY_FILE_BYTES: number = 256 * 1024;

/**
 * Creates the error that rejects the whole file. It quotes neither names nor values: both
 * may come from an attacker.
 */
export function refuseKeyFile(line: number, reason: string): CodedError {
  return new CodedError('KEY_FILE_INVALID', `invalid key file: line ${line}: ${reason}`, {
    line,
    reason,
  });
}

/**
 * Splits a key file into its ads.
 *
 *     file      = ad *( 1*blank-line ad )
 *     ad        = 1*( name " = " DQUOTE *char DQUOTE LF )
 *     char      = any character except a control character and DQUOTE, or `\"`
 *
 * A backslash is data, except before a DQUOTE that is not the last character of its line.
 * CredD does not escape line feeds, so a submitter can inject lines. Injected lines never
 * match this grammar: the submitter cannot write a DQUOTE without a backslash.
 * @throws CodedError `KEY_FILE_INVALID` with the line and the reason
 */
export function readKeyAds(bytes: Uint8Array): readonly KeyAd[] {
  const ads: KeyAd[] = [];
  let attributes: Map<string, KeyAttribute> | undefined;
  for (const [index, text] of decode(bytes).split('\n').entries()) {
    if (text === '') {
      attributes = undefined;
      continue;
    }
    const attribute = readLine(text, index + 1);
    if (attributes === undefined) {
      attributes = new Map();
      ads.push({ line: attribute.line, attributes });
    }
    const key = attribute.name.toLowerCase();
    if (attributes.has(key)) throw refuseKeyFile(attribute.line, 'duplicate attribute');
    attributes.set(key, attribute);
  }
  if (ads.length === 0) throw refuseKeyFile(1, 'no request');
  return ads;
}

function decode(bytes: Uint8Array): string {
  if (bytes.length > MAX_KEY_FILE_BYTES)
    throw refuseKeyFile(1, `file larger than ${MAX_KEY_FILE_BYTES} bytes`);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new CodedError(
      'KEY_FILE_INVALID',
      'invalid key file: not UTF-8 text',
      { reason: 'not UTF-8' },
      error,
    );
  }
}

function readLine(text: string, line: number): KeyAttribute {
  const match = /^([A-Za-z_][A-Za-z0-9_]*) = "(.*)"$/s.exec(text);
  const [, name, body] = match ?? [];
  if (name === undefined || body === undefined)
    throw refuseKeyFile(line, 'not of the form Name = "text"');
  if (hasControlCharacter(body)) throw refuseKeyFile(line, 'control character in the text');
  if (/(?<!\\)"/.test(body)) throw refuseKeyFile(line, 'unescaped quote in the text');
  return { name, value: body.replaceAll('\\"', '"'), line };
}

function hasControlCharacter(text: string): boolean {
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20 ? code !== 0x09 : code >= 0x7f && code <= 0x9f) return true;
  }
  return false;
}
