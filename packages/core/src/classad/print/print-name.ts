// Names and strings between quotes.
import type { PrintStyle } from './print.ts';

const PLAIN = /^[A-Za-z_][A-Za-z0-9_]*$/;
const RESERVED = new Set(['error', 'false', 'is', 'isnt', 'parent', 'true', 'undefined']);
const ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
};

/** An attribute name, quoted when it is not an identifier or is a reserved word. */
export function nameText(name: string): string {
  return PLAIN.test(name) && !RESERVED.has(name.toLowerCase()) ? name : `'${escaped(name, "'")}'`;
}

/** A string literal: every escape in the new style, only `\"` in the old one. */
export function stringText(bytes: string, style: PrintStyle): string {
  return style === 'old' ? `"${bytes.replaceAll('"', '\\"')}"` : `"${escaped(bytes, '"')}"`;
}

function escaped(bytes: string, quote: string): string {
  return bytes.replace(/[^ -~]|["'\\]/g, (char) => {
    if (char === '"' || char === "'") return char === quote ? `\\${char}` : char;
    return ESCAPES[char] ?? `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`;
  });
}
