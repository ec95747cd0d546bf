// Configuration text as bytes, like in HTCondor. Bytes that are not UTF-8 become lone
// surrogates U+DC80..U+DCFF.

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Decodes UTF-8; an invalid byte becomes U+DC00 plus the byte, so that {@link encodeText}
 * restores the same bytes.
 */
export function decodeText(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return decodeLoosely(bytes);
  }
}

/** Decodes character by character: only for input that is not valid UTF-8. */
function decodeLoosely(bytes: Uint8Array): string {
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes[at] ?? 0);
    const piece = length === 0 ? undefined : tryDecode(bytes.subarray(at, at + length));
    pieces.push(piece ?? String.fromCharCode(0xdc00 + (bytes[at] ?? 0)));
    at += piece === undefined ? 1 : length;
  }
  return pieces.join('');
}

function sequenceLength(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return 2;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  return lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
}

function tryDecode(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Returns the bytes of a text made by {@link decodeText}. */
export function encodeText(text: string): Uint8Array {
  if (!/[\udc80-\udcff]/.test(text)) return Buffer.from(text, 'utf8');
  const pieces: Buffer[] = [];
  let plain = '';
  for (const character of text) {
    const code = character.charCodeAt(0);
    if (character.length === 1 && code >= 0xdc80 && code <= 0xdcff) {
      pieces.push(Buffer.from(plain, 'utf8'), Buffer.from([code - 0xdc00]));
      plain = '';
    } else plain += character;
  }
  return Buffer.concat([...pieces, Buffer.from(plain, 'utf8')]);
}

/** Compares two texts by their bytes, like strcmp. */
export function compareBytes(a: string, b: string): number {
  return Buffer.compare(encodeText(a), encodeText(b));
}

const BLANKS = ' \t\n\v\f\r';

/** True for the characters that C's isspace accepts in the C locale. */
export function isBlank(character: string | undefined): boolean {
  return character !== undefined && character !== '' && BLANKS.includes(character);
}

/** Removes leading blanks. */
export function trimStart(text: string): string {
  let start = 0;
  while (start < text.length && isBlank(text[start])) start += 1;
  return text.slice(start);
}

/** Removes trailing blanks. */
export function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isBlank(text[end - 1])) end -= 1;
  return text.slice(0, end);
}

/**
 * Removes blanks at both ends; unlike String.trim it keeps no-break spaces and others.
 */
export function trim(text: string): string {
  return trimEnd(trimStart(text));
}

/** Splits a list at commas and blanks; drops empty items. */
export function splitList(text: string): string[] {
  return text.split(/[, \t\n\v\f\r]+/).filter((item) => item !== '');
}
