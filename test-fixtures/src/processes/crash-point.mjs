// Loaded into a process with --import: counts its changes below one directory, and kills
// the process or fails the call at a chosen change.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const {
  CRASH_DIRECTORY: directory = '',
  CRASH_TRACE: trace,
  CRASH_AT: at,
  CRASH_ERROR: code,
} = process.env;
const until = Number(process.env['CRASH_UNTIL'] ?? at);
/** Paths of open descriptors below the directory. */
const open = new Map();
let count = 0;

/**
 * Called before each change: writes it to the trace, then strikes if this is the chosen
 * change.
 */
function before(operation, path) {
  count += 1;
  if (trace !== undefined)
    original.appendFileSync(trace, `${operation} ${path.slice(directory.length + 1)}\n`);
  if (at === undefined || count < Number(at) || count > until) return;
  if (code === undefined) process.kill(process.pid, 'SIGKILL');
  throw Object.assign(new Error(`${code}: injected, ${operation}`), { code, syscall: operation });
}

const original = { ...fs };
/** Programs name files below open directories: /proc/self/fd/N/name. */
const named = (path) =>
  typeof path === 'string'
    ? path.replace(/^\/proc\/self\/fd\/\d+/, (descriptor) => original.readlinkSync(descriptor))
    : '';
const ours = (path) => named(path).startsWith(`${directory}/`);

fs.openSync = (path, flags, mode) => {
  const writes = typeof flags === 'number' && (flags & 3) !== 0;
  if (writes && ours(path)) before('open', named(path));
  const descriptor = original.openSync(path, flags, mode);
  if (writes && ours(path)) open.set(descriptor, named(path));
  return descriptor;
};
for (const name of ['writeSync', 'fsyncSync', 'fchmodSync', 'closeSync']) {
  fs[name] = (descriptor, ...rest) => {
    const path = open.get(descriptor);
    if (path !== undefined) before(name.replace('Sync', ''), path);
    if (name === 'closeSync') open.delete(descriptor);
    return original[name](descriptor, ...rest);
  };
}
fs.fsync = (descriptor, ...rest) => {
  const path = open.get(descriptor);
  try {
    if (path !== undefined) before('fsync', path);
  } catch (error) {
    return void setImmediate(() => rest.at(-1)(error));
  }
  return original.fsync(descriptor, ...rest);
};
for (const name of ['renameSync', 'unlinkSync']) {
  fs[name] = (path, ...rest) => {
    if (ours(path)) before(name.replace('Sync', ''), named(String(rest[0] ?? path)));
    return original[name](path, ...rest);
  };
}
syncBuiltinESMExports();
