// Runs a program whose parts are in a file beside it: a part is compiled when it is first
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
import { dirname, join } from 'node:path';
import { Script } from 'node:vm';

/**
 * Where the deflated parts are in the file `BUILD.parts`, in bytes, its length, and the build,
 * whose name has the hash of all parts. A part whose name ends in `.json` is a table: it is
 * parsed when its default export is first used.
 */
export interface PartTable {
  readonly build: string;
  readonly length: number;
  readonly main: string;
  readonly parts: Readonly<Record<string, readonly [start: number, length: number]>>;
}

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
 * Runs the main part of the program `file`. The file of the parts stays open: if the
 * program is replaced on disk, a running process continues with the parts that it started
 * with. If this process may write beside the file, the compiled code of the parts that it
 * has used is kept for the next start: each part that a command needs, with the parts
 * that it imports.
 * @throws Error if the file of the parts is missing or not whole
 */
export function runParts(file: string, table: PartTable, fromFile: Require): void {
  const url = urlOf(file, fromFile);
  const readParts = openParts(join(dirname(file), `${table.build}.parts`), table.length);
  const loaded = new Map<string, { exports: unknown }>();
  const cache = openCache(file, table.build);
  let group: Group | undefined;
  const load = (name: string): unknown => {
    const known = loaded.get(name);
    if (known !== undefined) return known.exports;
    const outer = group;
    group ??= cache.open(name);
    try {
      return evaluate(name, group);
    } finally {
      group = outer;
    }
  };
  const evaluate = (name: string, inGroup: Group): unknown => {
    if (name.endsWith('.json')) return tableOf(name, inGroup);
    const run = inGroup.compile(name, () => textOf(name)).runInThisContext() as PartFunction;
    const part = { exports: {} };
    loaded.set(name, part);
    try {
      run(part.exports, require, part, url);
    } catch (error) {
      loaded.delete(name);
      throw error;
    }
    return part.exports;
  };
  const tableOf = (name: string, inGroup: Group): unknown => {
    let content: unknown;
    const exports = {
      __esModule: true,
      get default() {
        return (content ??= JSON.parse(inGroup.text(name, () => textOf(name))));
      },
    };
    loaded.set(name, { exports });
    return exports;
  };
  const late = new Map<string, object>();
  const require = (wanted: string): unknown => {
    if (wanted.startsWith('./')) return load(wanted.slice(2));
    if (!LATE.has(wanted)) return fromFile(wanted);
    const module = late.get(wanted) ?? whenUsed(() => fromFile(wanted) as object);
    late.set(wanted, module);
    return module;
  };
  const textOf = (name: string): string => {
    const [start, length] = table.parts[name] ?? [0, 0];
    const { inflateRawSync } = fromFile('node:zlib') as typeof import('node:zlib');
    return inflateRawSync(readParts().subarray(start, start + length)).toString('latin1');
  };
  process.once('exit', () => cache.keep());
  load(table.main);
}

/** Opens the file of the parts; the returned function reads it once, at its first call. */
function openParts(path: string, length: number): () => Buffer {
  try {
    const descriptor = openSync(path, 'r');
    let bytes: Buffer | undefined;
    if (fstatSync(descriptor).size === length) return () => (bytes ??= readFileSync(descriptor));
  } catch (error) {
    throw new Error(`cannot read ${path}, which belongs to this program: install it again`, {
      cause: error,
    });
  }
  throw new Error(`${path}, which belongs to this program, is damaged: install it again`);
}

/** The file's URL; most paths need no escape, and no module that knows how to write one. */
function urlOf(file: string, fromFile: Require): string {
  if (/^[\w./-]+$/.test(file)) return `file://${file}`;
  return (fromFile('node:url') as typeof import('node:url')).pathToFileURL(file).href;
}

/**
 * Modules of Node.js that are loaded at the first use of one of their functions, not with
 * the part that imports them: each takes 0.3 to 4 ms, and most commands use few of them.
 */
const LATE: ReadonlySet<string> = new Set(
  (
    'child_process crypto dgram dns dns/promises fs/promises http https net os perf_hooks ' +
    'readline readline/promises timers/promises tls tty url v8 zlib'
  )
    .split(' ')
    .flatMap((name) => [name, `node:${name}`]),
);

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

/** A part that is needed on its own, and the parts that are evaluated with it. */
interface Group {
  compile(name: string, textOf: () => string): Script;
  /** The text of a table. */
  text(name: string, textOf: () => string): string;
}

interface Cache {
  open(group: string): Group;
  /** Writes the compiled code of parts that had none. */
  keep(): void;
}

/** The source and the compiled code of a part; a table has none. */
interface Compiled {
  readonly source: string;
  readonly code: Buffer;
}

/**
 * The compiled code for this Node.js and this build, one file for each group. Compiled code
 * is as trusted as the program: it counts only if root or the owner of the program wrote it,
 * and nobody else can. Whatever fails here only makes the start slower.
 */
function openCache(file: string, build: string): Cache {
  const program = statSync(file);
  const directory = join(dirname(file), CACHE_DIRECTORY);
  const prefix = `${build}-${process.version}-${process.arch}-`;
  const isTrusted = ({ uid, mode }: Stats): boolean =>
    (uid === 0 || uid === program.uid) && (mode & 0o022) === 0;
  const areTrusted = (): boolean =>
    isTrusted(statSync(dirname(file))) && isTrusted(statSync(directory));
  const read = (group: string): ReadonlyMap<string, Compiled> | undefined =>
    quietly(() => {
      if (!areTrusted()) return undefined;
      const descriptor = openSync(join(directory, prefix + group), READ);
      try {
        const stats = fstatSync(descriptor);
        if (!stats.isFile() || !isTrusted(stats)) return undefined;
        return unpacked(readFileSync(descriptor));
      } finally {
        closeSync(descriptor);
      }
    });
  // V8 accepts code that was compiled with the same flags only. Where it accepts the first
  // and rejects another, this process has changed the flags; other processes have not.
  let isFirstUsed: boolean | undefined;
  const written = new Map<string, Map<string, { source: string; script?: Script }>>();
  const write = (group: string, parts: ReadonlyMap<string, Compiled>): void =>
    writeWhole(
      join(directory, prefix + group),
      packed(new Map([...(read(group) ?? []), ...parts])),
    );
  return {
    open: (group) => {
      const kept = read(group);
      const add = (name: string, source: string, script?: Script): void => {
        const parts = written.get(group) ?? new Map<string, never>();
        written.set(group, parts.set(name, { source, ...(script && { script }) }));
      };
      return {
        text: (name, textOf) => {
          const known = kept?.get(name);
          if (known) return known.source;
          const source = textOf();
          add(name, source);
          return source;
        },
        compile: (name, textOf) => {
          const known = kept?.get(name);
          const source =
            known?.source ?? `(function(exports,require,module,__partUrl){${textOf()}\n})`;
          const script = new Script(source, {
            filename: `${file}#${name}`,
            ...(known && { cachedData: known.code }),
          });
          const isRejected = script.cachedDataRejected === true;
          isFirstUsed ??= known !== undefined && !isRejected;
          if (!known || (isRejected && !isFirstUsed)) add(name, source, script);
          return script;
        },
      };
    },
    keep: () =>
      quietly(() => {
        if (written.size === 0 || process.geteuid?.() !== program.uid) return;
        if (!isTrusted(statSync(dirname(file))) || !isSameFile(statSync(file), program)) return;
        mkdirSync(directory, { recursive: true, mode: 0o755 });
        if (!areTrusted()) return;
        removeOld(directory, prefix);
        for (const [group, parts] of written)
          write(
            group,
            new Map(
              [...parts].map(([name, { source, script }]) => [
                name,
                { source, code: script?.createCachedData() ?? Buffer.alloc(0) },
              ]),
            ),
          );
        written.clear();
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

/** Bytes: V8 copies compiled code that begins elsewhere. */
const ALIGNMENT = 8;
const aligned = (length: number): number => Math.ceil(length / ALIGNMENT) * ALIGNMENT;

/** Bytes of the first number in a file of compiled code. */
const NUMBER = 8;

/**
 * A file of compiled code: the length of what is there twice, names and lengths, the compiled
 * code, that again, and the sources. V8 crashes on damaged code; to compare two copies takes
 * less than a checksum and the module that has it.
 */
function packed(parts: ReadonlyMap<string, Compiled>): Buffer {
  const all = [...parts.values()];
  const table = [...parts].map(([name, { source, code }]) => [name, source.length, code.length]);
  const names = Buffer.from(JSON.stringify(table), 'latin1');
  const twice = Buffer.concat(
    [Buffer.alloc(NUMBER), names, ...all.map(({ code }) => code)].flatMap((bytes) => [
      bytes,
      Buffer.alloc(aligned(bytes.length) - bytes.length, ' '),
    ]),
  );
  twice.writeUInt32LE(twice.length);
  twice.writeUInt32LE(aligned(names.length), NUMBER / 2);
  return Buffer.concat([twice, twice, ...all.map(({ source }) => Buffer.from(source, 'latin1'))]);
}

/** What `packed` has made, if no byte of what is there twice has changed. */
function unpacked(bytes: Buffer): ReadonlyMap<string, Compiled> | undefined {
  const length = bytes.readUInt32LE();
  const twice = bytes.subarray(0, length);
  if (length < NUMBER || !twice.equals(bytes.subarray(length, 2 * length))) return undefined;
  let at = NUMBER + bytes.readUInt32LE(NUMBER / 2);
  const table = JSON.parse(bytes.toString('latin1', NUMBER, at)) as [string, number, number][];
  const codes = table.map(([, , size]) => {
    at += aligned(size);
    return bytes.subarray(at - aligned(size), at - aligned(size) + size);
  });
  // One large string, because the garbage collector would move many small ones.
  const sources = bytes.toString('latin1', 2 * length);
  at = 0;
  const parts = table.map(([name, size], index): [string, Compiled] => {
    at += size;
    return [name, { source: sources.slice(at - size, at), code: codes[index] as Buffer }];
  });
  return at === sources.length ? new Map(parts) : undefined;
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
