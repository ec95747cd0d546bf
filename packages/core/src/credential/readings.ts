// The decodings of a text: the text itself, and without percent-encoding, JSON escapes or
// HTML entities. Pure.

/**
 * A decoded text. `starts[i]` is the offset in the original text of the escape or
 * character that decodes to character i; the last entry is the end.
 */
export interface Reading {
  readonly text: string;
  readonly starts: readonly number[];
}

interface Encoding {
  /** A character that every escape contains. */
  readonly mark: string;
  readonly escapes: RegExp;
  readonly decode: (escape: string) => string;
}

const PERCENT: Encoding = {
  mark: '%',
  // One UTF-8 sequence at a time.
  escapes:
    /%[0-7][\da-f]|%[cd][\da-f]%[89ab][\da-f]|%e[\da-f](?:%[89ab][\da-f]){2}|%f[0-7](?:%[89ab][\da-f]){3}/gi,
  decode: (escape) => {
    try {
      return decodeURIComponent(escape);
    } catch {
      // Not UTF-8: not an escape.
      return escape;
    }
  },
};

const PLUS: Encoding = { mark: '+', escapes: /\+/g, decode: () => ' ' };

const LETTERS: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

const JSON_TEXT: Encoding = {
  mark: '\\',
  escapes: /\\(?:u[\da-fA-F]{4}|["'\\/bfnrt])/g,
  decode: (escape) => {
    const [, letter = ''] = escape;
    return letter === 'u'
      ? String.fromCodePoint(Number.parseInt(escape.slice(2), 16))
      : (LETTERS[letter] ?? letter);
  },
};

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};

const HTML: Encoding = {
  mark: '&',
  escapes: /&(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[\da-f]{1,6});/gi,
  decode: (escape) => {
    const name = escape.slice(1, -1).toLowerCase();
    if (!name.startsWith('#')) return ENTITIES[name] ?? escape;
    const code = name.startsWith('#x') ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return code <= 0x10_ff_ff ? String.fromCodePoint(code) : escape;
  },
};

/** Sequences of decoding steps; some senders encode twice. */
const ORDERS: readonly (readonly Encoding[])[] = [
  [PERCENT],
  [PLUS, PERCENT],
  [PERCENT, PERCENT],
  [PERCENT, PLUS, PERCENT],
  [JSON_TEXT],
  [JSON_TEXT, JSON_TEXT],
  [JSON_TEXT, PLUS, PERCENT],
  [JSON_TEXT, PERCENT],
  [HTML],
];

/** Returns a text and all its decodings, without duplicates. */
export function readingsOf(text: string): Reading[] {
  const plain = { text, starts: Array.from({ length: text.length + 1 }, (_, index) => index) };
  return distinct([plain, ...ORDERS.map((order) => order.reduce(decoded, plain))]);
}

/** Returns the texts of {@link readingsOf}. */
export function textsOf(text: string): string[] {
  if (!/[%+\\&]/.test(text)) return [text];
  const undone = new Map<Encoding, Map<string, string>>();
  const undo = (read: string, encoding: Encoding): string => {
    if (!read.includes(encoding.mark)) return read;
    const before = undone.get(encoding) ?? new Map<string, string>();
    const plain = before.get(read) ?? read.replaceAll(encoding.escapes, encoding.decode);
    undone.set(encoding, before.set(read, plain));
    return plain;
  };
  return [...new Set([text, ...ORDERS.map((order) => order.reduce(undo, text))])];
}

function distinct(readings: readonly Reading[]): Reading[] {
  const byText = new Map(readings.toReversed().map((reading) => [reading.text, reading]));
  return [...byText.values()];
}

function decoded({ text, starts }: Reading, { escapes, decode }: Encoding): Reading {
  const parts: string[] = [];
  const from: number[] = [];
  let done = 0;
  const keep = (end: number): void => {
    parts.push(text.slice(done, end));
    for (let index = done; index < end; index += 1) from.push(starts[index] ?? 0);
    done = end;
  };
  for (const { 0: escape, index } of text.matchAll(escapes)) {
    keep(index);
    const plain = decode(escape);
    parts.push(plain);
    for (let unit = 0; unit < plain.length; unit += 1) from.push(starts[index] ?? 0);
    done = index + escape.length;
  }
  keep(text.length);
  return { text: parts.join(''), starts: [...from, starts.at(-1) ?? 0] };
}
