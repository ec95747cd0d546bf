// Runs a program that one file keeps in parts: a part is read and compiled when it is first
// needed, from V8's compiled code where that is kept. scripts/bundle.mjs makes such files.
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';
import { crc32, inflateRawSync } from 'node:zlib';

/**
 * Where the parts are in the file, in bytes, their checksums, and the hash of all of them. A
 * `packed` part is deflated and written in base64.
 */
export interface PartTable {
  readonly build: string;
  readonly main: string;
  readonly parts: Readonly<
    Record<string, readonly [start: number, length: number, checksum: number, packed?: 1]>
  >;
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
 * Runs the main part of `file`. The file is read once: a process that runs while its program
 * is replaced continues with the parts that it started with. When the process ends, the
 * compiled code of the parts that it has used is kept for the next start, where this process
 * may write beside the file.
 * @throws Error if a part is not that of the table: the file was replaced during the start
 */
export function runParts(file: string, table: PartTable): void {
  const fromFile = createRequire(file);
  const url = pathToFileURL(file).href;
  const loaded = new Map<string, { exports: unknown }>();
  const compiled = new Map<string, Script>();
  const { bytes, stats } = readProgram(file);
  const cache = openCache(file, stats, table.build);
  const load = (name: string): unknown => {
    const known = loaded.get(name);
    if (known !== undefined) return known.exports;
    const script = compile(name);
    const part = { exports: {} };
    loaded.set(name, part);
    const run = script.runInThisContext() as PartFunction;
    try {
      run(
        part.exports,
        (wanted) => {
          if (wanted.startsWith('./')) return load(wanted.slice(2));
          return LATE.has(wanted) ? whenUsed(() => fromFile(wanted) as object) : fromFile(wanted);
        },
        part,
        url,
      );
    } catch (error) {
      loaded.delete(name);
      throw error;
    }
    return part.exports;
  };
  const compile = (name: string): Script => {
    const source = `(function(exports,require,module,__partUrl){${textOf(name)}\n})`;
    const cachedData = cache?.read(name);
    const script = new Script(source, {
      filename: `${file}#${name}`,
      ...(cachedData === undefined ? {} : { cachedData }),
    });
    if (cachedData === undefined || script.cachedDataRejected === true) compiled.set(name, script);
    return script;
  };
  const textOf = (name: string): string => {
    const [start, length, checksum, packed] = table.parts[name] ?? [0, 0, 0];
    const text = bytes.subarray(start, start + length);
    if (crc32(text) !== checksum)
      throw new Error(`${file} was replaced during the start: start the program again`);
    if (packed === 1)
      return inflateRawSync(Buffer.from(text.toString('latin1'), 'base64')).toString('latin1');
    return text.toString('latin1').replaceAll(COMMENT_END, '*/');
  };
  process.once('exit', () => {
    if (compiled.size > 0) cache?.write(compiled);
  });
  load(table.main);
}

/**
 * Modules of Node.js that are loaded at the first use of one of their functions, not with
 * the part that imports them: each takes 1 to 4 ms, and most commands use few of them.
 */
const LATE: ReadonlySet<string> = new Set([
  'node:child_process',
  'node:crypto',
  'node:net',
  'node:tls',
  'child_process',
  'crypto',
  'net',
  'tls',
]);

/** Returns an object that stands for a module until it is used. */
function whenUsed(open: () => object): object {
  let module: object | undefined;
  const real = (): object => (module ??= open());
  return new Proxy(Object.create(null) as object, {
    get: (_, name) => Reflect.get(real(), name) as unknown,
    set: (_, name, value) => Reflect.set(real(), name, value),
    has: (_, name) => Reflect.has(real(), name),
    ownKeys: () => Reflect.ownKeys(real()),
    getOwnPropertyDescriptor: (_, name) => {
      const found = Reflect.getOwnPropertyDescriptor(real(), name);
      return found && { ...found, configurable: true };
    },
  });
}

function readProgram(file: string): { bytes: Buffer; stats: Stats } {
  const descriptor = openSync(file, 'r');
  try {
    return { stats: fstatSync(descriptor), bytes: readFileSync(descriptor) };
  } finally {
    closeSync(descriptor);
  }
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
function openCache(file: string, program: Stats, build: string): Cache {
  const directory = join(dirname(file), CACHE_DIRECTORY);
  const prefix = `${build}-${process.version}-${process.arch}-`;
  const isTrusted = ({ uid, mode }: Stats): boolean =>
    (uid === 0 || uid === program.uid) && (mode & 0o022) === 0;
  const areTrusted = (): boolean =>
    isTrusted(statSync(dirname(file))) && isTrusted(statSync(directory));
  return {
    read: (name) =>
      quietly(() => {
        if (!areTrusted()) return undefined;
        const descriptor = openSync(join(directory, prefix + name), READ);
        try {
          const stats = fstatSync(descriptor);
          if (!stats.isFile() || !isTrusted(stats)) return undefined;
          return checked(readFileSync(descriptor));
        } finally {
          closeSync(descriptor);
        }
      }),
    write: (scripts) =>
      quietly(() => {
        if (process.geteuid?.() !== program.uid || !isTrusted(statSync(dirname(file)))) return;
        if (!isSameFile(statSync(file), program)) return;
        mkdirSync(directory, { recursive: true, mode: 0o755 });
        if (!areTrusted()) return;
        removeOld(directory, prefix);
        for (const [name, script] of scripts)
          writeWhole(join(directory, prefix + name), withChecksum(script.createCachedData()));
      }),
  };
}

/** Opens no link and waits for no writer of a FIFO. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Whether the program is still what this process runs: another build has its own code. */
function isSameFile(now: Stats, then: Stats): boolean {
  return now.dev === then.dev && now.ino === then.ino && now.mtimeMs === then.mtimeMs;
}

const NOT_WHOLE = '.new';

/** Writes a file so that readers see it whole or not; a failure leaves nothing behind. */
function writeWhole(path: string, bytes: Buffer): void {
  const temporary = `${path}.${process.pid}${NOT_WHOLE}`;
  try {
    writeFileSync(temporary, bytes, { mode: 0o644, flag: 'wx' });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
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

/**
 * Removes compiled code of other builds of this program or for another Node.js, and what
 * killed processes have not written whole.
 */
function removeOld(directory: string, prefix: string): void {
  const program = prefix.slice(0, prefix.indexOf('.'));
  for (const name of readdirSync(directory))
    if (name.startsWith(`${program}.`) && (!name.startsWith(prefix) || name.endsWith(NOT_WHOLE)))
      rmSync(join(directory, name), { recursive: true, force: true });
}

function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
