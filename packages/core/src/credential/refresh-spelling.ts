// How issuers spell refresh tokens: names of members, types of objects, texts that
// contain one, and the decodings of a text (percent-encoding, JSON escapes, HTML
// entities). Pure.

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

/**
 * Returns a name without case and separators: `refreshToken`, `Refresh-Token` and
 * `refresh_token` are equal.
 */
export function plainName(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/**
 * What follows "refresh token" in the name of its expiry, and the text of such a member.
 */
const EXPIRY =
  /^(expires|expiry|expiration|exp|lifetime|validity|ttl|maxage|issued)(in|at|on|time|date|seconds|secs)*$/;
const DATE = /^[\dTZ:.+ -]{0,40}$/;

/**
 * True for a member that contains a refresh token, by its name: "refresh token" anywhere
 * in it, in any spelling, or "refresh" alone with a text or object. False for the expiry
 * of a refresh token.
 */
export function isRefreshMember(name: string, value: unknown): boolean {
  const plain = plainName(name);
  if (plain === 'refresh')
    return typeof value === 'object' || (typeof value === 'string' && !DATE.test(value));
  const at = plain.lastIndexOf('refreshtoken');
  if (at < 0) return plain.includes('refreshjwt');
  return !(EXPIRY.test(plain.slice(at + 'refreshtoken'.length)) && isMoment(value));
}

function isMoment(value: unknown): boolean {
  return (
    typeof value === 'number' || value === null || (typeof value === 'string' && DATE.test(value))
  );
}

/** Names of members that describe the object or its other members. */
const KIND = /^(type|kind|typ|use|name|key|label|field)$|token(type|kind|typ|use|name)(hint)?$/;

/**
 * True for an object whose type is a refresh token, for any name of the member with the
 * token.
 */
export function isRefreshObject(object: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(object).some(
    ([name, value]) =>
      KIND.test(plainName(name)) && [value].flat().some((each) => saysRefresh(each)),
  );
}

function saysRefresh(value: unknown): boolean {
  return typeof value === 'string' && /^refresh$|refreshtokens?$/.test(plainName(value));
}

/** True for a list `["refresh_token", value]`: a member written as a pair. */
export function isRefreshPair(list: readonly unknown[]): boolean {
  const [name, value, ...more] = list;
  return (
    more.length === 0 &&
    value !== undefined &&
    typeof name === 'string' &&
    isRefreshMember(name, value)
  );
}

/**
 * Below the member of a refresh token: members that describe it, and words that are not
 * tokens.
 */
const DESCRIPTION = new RegExp(
  `(${[
    'scopes?|type|kind|typ|use|status|state|audience|aud|issuer|iss|clientid|method|policy',
    'rotation|expires(in|at)?|expiry|user(name|id)?|sub(ject)?|email|realm|tenant|provider',
    'description|ur[il]',
  ].join('|')})$`,
);
const WORD =
  /^(bearer|dpop|mac|refresh|refreshtoken|accesstoken|true|false|yes|no|none|null|undefined|active|opaque|jwt)?$/;

/**
 * Returns all texts below a member or object that contains a refresh token, without the
 * words that describe it; also a long number used as a token.
 */
export function tokensBelow(value: unknown, levels: number, name = ''): string[] {
  if (typeof value === 'string')
    return DESCRIPTION.test(plainName(name)) || WORD.test(plainName(value)) ? [] : [value];
  if (typeof value === 'number') return name === '' && value >= 1e7 ? [String(value)] : [];
  if (typeof value !== 'object' || value === null || levels <= 0) return [];
  if (Array.isArray(value)) return value.flatMap((each) => tokensBelow(each, levels - 1, name));
  return Object.entries(value).flatMap(([inner, each]) => tokensBelow(each, levels - 1, inner));
}

/**
 * Matches the name of a refresh token in a text with its suffix, up to a sign of a
 * following value or of a quoted name.
 */
const MENTION = new RegExp(
  [
    /refresh(?:[_.\- +]|%(?:25)*(?:5f|20|2d)|\\+u00(?:5f|2d|20))?token/,
    /([\w-]{0,40})\\{0,64}/,
    /(?:["'=>]|:\s|%(?:25)*(?:22|27|3d)|\\?u00(?:22|27|3d)|&(?:quot|#34|#39|apos);)/,
  ]
    .map(({ source }) => source)
    .join(''),
  'gi',
);

/**
 * True for a text like `refresh_token=...` or `{"refresh_token":...`, also if encoded;
 * false for the name of its expiry.
 */
export function mentionsRefreshToken(text: string): boolean {
  if (!/refresh/i.test(text)) return false;
  for (const [, rest = ''] of text.matchAll(MENTION))
    if (!EXPIRY.test(plainName(rest))) return true;
  return false;
}

/**
 * Returns the refresh tokens of a text that is a form or query, or that contains JSON
 * which cannot be parsed as a whole.
 */
export function tokensInText(text: string): string[] {
  if (!/refresh/i.test(text)) return [];
  const found = text.matchAll(
    /refresh[_.\- ]?token([\w-]{0,40})(?:=|\\{0,64}["']\s{0,8}:\s{0,8}\\{0,64}["'])([\w.~+/%-]{1,16384}=*)/gi,
  );
  return [...found].flatMap(([, rest = '', token = '']) =>
    EXPIRY.test(plainName(rest)) ? [] : [token, formDecoded(token)],
  );
}

function formDecoded(token: string): string {
  return new URLSearchParams(`=${token.replaceAll('&', '%26')}`).get('') ?? token;
}
