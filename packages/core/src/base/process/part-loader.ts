// Runs a program that one file keeps in parts: a part is read and compiled when it is first
// needed, from V8's compiled code where that is kept. scripts/bundle.mjs makes such files.
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';
import { crc32 } from 'node:zlib';

/** Where the parts are in the file, in bytes, and the hash of all of them. */
export interface PartTable {
  readonly build: string;
  readonly main: string;
  readonly parts: Readonly<Record<string, readonly [start: number, length: number]>>;
}

/** Written in a part instead of the end of a comment, because the parts are in a comment. */
export const COMMENT_END = '*@/';

/** The directory of compiled code beside the file; others than its owner cannot write it. */
export const CACHE_DIRECTORY = 'cache';

type Require = (name: string) => unknown;
type PartFunction = (
  exports: object,
  require: Require,
  module: { exports: unknown },
  url: string,
) => void;

/**
 * Runs the main part of `file`. When the process ends, the compiled code of the parts that
 * it has used is kept for the next start, where this process may write beside the file.
 */
export function runParts(file: string, table: PartTable): void {
  const fromFile = createRequire(file);
  const url = pathToFileURL(file).href;
  const loaded = new Map<string, { exports: unknown }>();
  const compiled = new Map<string, Script>();
  const cache = openCache(file, table.build);
  const load = (name: string): unknown => {
    const known = loaded.get(name);
    if (known !== undefined) return known.exports;
    const script = compile(name);
    const part = { exports: {} };
    loaded.set(name, part);
    const run = script.runInThisContext() as PartFunction;
    run(
      part.exports,
      (wanted) => (wanted.startsWith('./') ? load(wanted.slice(2)) : fromFile(wanted)),
      part,
      url,
    );
    return part.exports;
  };
  const compile = (name: string): Script => {
    const source = `(function(exports,require,module,__partUrl){${textOf(file, table, name)}\n})`;
    const cachedData = cache?.read(name);
    const script = new Script(source, {
      filename: `${file}#${name}`,
      ...(cachedData === undefined ? {} : { cachedData }),
    });
    if (cachedData === undefined || script.cachedDataRejected === true) compiled.set(name, script);
    return script;
  };
  process.once('exit', () => {
    if (compiled.size > 0) cache?.write(compiled);
  });
  load(table.main);
}

function textOf(file: string, { parts }: PartTable, name: string): string {
  const [start, length] = parts[name] ?? [0, 0];
  const bytes = Buffer.allocUnsafe(length);
  const descriptor = openSync(file, 'r');
  try {
    for (let done = 0; done < length;) {
      const read = readSync(descriptor, bytes, done, length - done, start + done);
      if (read === 0) throw new Error(`${file} ends before its part ${name}`);
      done += read;
    }
  } finally {
    closeSync(descriptor);
  }
  return bytes.toString('latin1').replaceAll(COMMENT_END, '*/');
}

interface Cache {
  read(name: string): Buffer | undefined;
  write(scripts: ReadonlyMap<string, Script>): void;
}

/**
 * The compiled code for this Node.js and this build. Compiled code is as trusted as the
 * program: it counts only if root or the owner of the program wrote it, and nobody else
 * can. Whatever fails here only makes the start slower.
 */
function openCache(file: string, build: string): Cache | undefined {
  const directory = join(dirname(file), CACHE_DIRECTORY);
  const prefix = `${build}-${process.version}-${process.arch}-`;
  const owner = quietly(() => statSync(file).uid);
  if (owner === undefined) return undefined;
  const isTrusted = ({ uid, mode }: { uid: number; mode: number }): boolean =>
    (uid === 0 || uid === owner) && (mode & 0o022) === 0;
  return {
    read: (name) =>
      quietly(() => {
        if (!isTrusted(statSync(directory))) return undefined;
        const descriptor = openSync(join(directory, prefix + name), 'r');
        try {
          return isTrusted(fstatSync(descriptor)) ? checked(readFileSync(descriptor)) : undefined;
        } finally {
          closeSync(descriptor);
        }
      }),
    write: (scripts) =>
      quietly(() => {
        if (process.geteuid?.() !== owner || !isTrusted(statSync(dirname(file)))) return;
        mkdirSync(directory, { recursive: true, mode: 0o755 });
        if (!isTrusted(statSync(directory))) return;
        removeOld(directory, prefix);
        for (const [name, script] of scripts) {
          const temporary = join(directory, `${prefix}${name}.${process.pid}.new`);
          writeFileSync(temporary, withChecksum(script.createCachedData()), {
            mode: 0o644,
            flag: 'wx',
          });
          renameSync(temporary, join(directory, prefix + name));
        }
      }),
  };
}

const CHECKSUM_BYTES = 4;

function withChecksum(code: Buffer): Buffer {
  const checksum = Buffer.alloc(CHECKSUM_BYTES);
  checksum.writeUInt32LE(crc32(code));
  return Buffer.concat([code, checksum]);
}

/** The code, if no byte of it has changed: V8 crashes on damaged code. */
function checked(bytes: Buffer): Buffer | undefined {
  if (bytes.length <= CHECKSUM_BYTES) return undefined;
  const code = bytes.subarray(0, -CHECKSUM_BYTES);
  return crc32(code) === bytes.readUInt32LE(code.length) ? code : undefined;
}

/** Removes compiled code of other builds of this program, or for another Node.js. */
function removeOld(directory: string, prefix: string): void {
  const program = prefix.slice(0, prefix.indexOf('.'));
  for (const name of readdirSync(directory))
    if (name.startsWith(`${program}.`) && !name.startsWith(prefix)) rmSync(join(directory, name));
}

function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
