// The INI files of XRootD's SciTokens plugin, by the rules of its reader (inih).
//
//   file    = { line }
//   line    = blank | comment | section | setting | continuation
//   comment = (";" | "#") text                     at the start of a line
//   section = "[" name "]"                         only the first 49 bytes count
//   setting = name ("=" | ":") value [" ;" text]   in sections and names case does not count
//   continuation = blank text                      after a setting: another value of it
//
// A line of more than 199 bytes is read in pieces, each as a line of its own.

/** A value, and its line, counted from 1. */
export interface Setting {
  readonly value: string;
  readonly line: number;
}

/** A section. Of several values of a setting the last one counts. */
export interface Section {
  readonly name: string;
  readonly line: number;
  /** By name in lower case. */
  readonly settings: ReadonlyMap<string, Setting>;
}

/** Something about a line. */
export interface LineProblem {
  readonly line: number;
  readonly problem: string;
}

/** A parsed file: `errors` keep the plugin from loading. */
export interface IniFile {
  readonly sections: readonly Section[];
  readonly errors: readonly LineProblem[];
  readonly warnings: readonly LineProblem[];
  /** Returns the name of the section of a line. */
  readonly sectionAt: (line: number) => string | undefined;
}

/** Bytes of a section's name that count, and of a line with its line feed. */
const LONGEST_SECTION = 49;
const LONGEST_LINE = 199;

type OpenSection = Section & { readonly settings: Map<string, Setting> };

/** Parses an INI file. Sections with the same name are one. */
export function parseIni(text: string): IniFile {
  const reader = new IniReader();
  text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .forEach((line, index) => reader.read(line, index + 1));
  const { errors, warnings, starts } = reader;
  const sectionAt = (line: number): string | undefined =>
    starts.findLast((start) => start.line <= line)?.name;
  return { sections: [...reader.sections.values()], errors, warnings, sectionAt };
}

class IniReader {
  readonly sections = new Map<string, OpenSection>();
  readonly errors: LineProblem[] = [];
  readonly warnings: LineProblem[] = [];
  readonly starts: { readonly line: number; readonly name: string }[] = [];
  #section: OpenSection | undefined;
  #name = '';

  read(line: string, number: number): void {
    const bytes = Buffer.from(`${line}\n`);
    if (bytes.length <= LONGEST_LINE) return this.#readPiece(line, number);
    this.#warn(number, `longer than ${LONGEST_LINE - 1} bytes: the rest is read as another line`);
    for (let at = 0; at < bytes.length; at += LONGEST_LINE)
      this.#readPiece(bytes.toString('utf8', at, at + LONGEST_LINE), number);
  }

  #readPiece(line: string, number: number): void {
    const text = line.trim();
    if (text === '' || text.startsWith(';') || text.startsWith('#')) return;
    if (this.#name !== '' && /^\s/.test(line)) {
      this.#warn(number, `continuation line: it replaces the value of ${this.#name}`);
      this.#set(this.#name, withoutComment(text), number);
    } else if (text.startsWith('[')) this.#open(text, number);
    else {
      const [, name, value] = /^([^=:]*)[=:](.*)$/.exec(text) ?? [];
      if (name === undefined || value === undefined)
        this.errors.push({ line: number, problem: 'neither a section nor name = value' });
      else this.#set(name.trim(), withoutComment(value.trim()), number);
    }
  }

  #open(text: string, line: number): void {
    const end = text.indexOf(']');
    if (end < 0) return void this.errors.push({ line, problem: 'section without "]"' });
    const full = Buffer.from(text.slice(1, end));
    const name = full.subarray(0, LONGEST_SECTION).toString();
    if (full.length > LONGEST_SECTION)
      this.#warn(line, `section name longer than ${LONGEST_SECTION} bytes: read as [${name}]`);
    const known = this.sections.get(name.toLowerCase());
    if (known !== undefined)
      this.#warn(line, `the section [${name}] of line ${known.line} continues here`);
    this.#section = known ?? { name, line, settings: new Map() };
    this.sections.set(name.toLowerCase(), this.#section);
    this.starts.push({ line, name: this.#section.name });
    this.#name = '';
  }

  #set(name: string, value: string, line: number): void {
    this.#name = name;
    const key = name.toLowerCase();
    const before = this.#section?.settings.get(key);
    if (before !== undefined)
      this.#warn(line, `${key} is also set in line ${before.line}: this value counts`);
    this.#section?.settings.set(key, { value, line });
  }

  #warn(line: number, problem: string): void {
    this.warnings.push({ line, problem });
  }
}

/** Removes a comment, which begins with a semicolon after a blank. */
function withoutComment(value: string): string {
  return value.replace(/\s;.*$/s, '').trim();
}
