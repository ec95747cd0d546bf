// Runs the commands of the first start: one line of progress with the elapsed time, and
// their own output only if they fail.
import { spawn } from 'node:child_process';

/**
 * Seconds without output after which a command is taken to hang: a package registry that
 * does not answer must not hold a test run for ever.
 */
const PATIENCE = 240;
/** Seconds between two lines where a line cannot be replaced. */
const QUIET = 30;

/**
 * Reads one line of pnpm's JSON log: `{ installed: true }` for a package that is in place,
 * `{ message }` for what a person must read, `{}` for the rest.
 */
export function readLogLine(line) {
  if (!line.startsWith('{')) return line.trim() === '' ? {} : { message: line };
  let entry;
  try {
    entry = JSON.parse(line);
  } catch {
    return { message: line };
  }
  if (entry.name === 'pnpm:progress') return { installed: entry.status === 'imported' };
  const message = entry.err?.message ?? entry.message;
  const isForPeople = entry.level === 'error' || entry.level === 'warn';
  return isForPeople && typeof message === 'string' ? { message } : {};
}

/** Returns a function that runs one task after the other in `directory`. */
export function showSteps(directory, out) {
  const isTerminal = out.isTTY === true;
  return async function run({ doing, done, command, count, attempts = 1 }) {
    const begin = Date.now();
    const elapsed = () => `${Math.round((Date.now() - begin) / 1000)} s`;
    let installed = 0;
    const packages = () =>
      count === undefined ? '' : `${Math.min(installed, count)} of ${count}, `;
    const show = () => {
      const text = `bootstrap: ${doing}: ${packages()}${elapsed()}`;
      out.write(isTerminal ? `\r${text}\u001b[K` : `${text}\n`);
    };
    if (isTerminal) show();
    const timer = setInterval(show, (isTerminal ? 1 : QUIET) * 1000);
    const result = await finished(directory, command, () => (installed += 1));
    clearInterval(timer);
    const isDone = result.problem === undefined;
    if (isTerminal) out.write('\r\u001b[K');
    if (isDone) return void out.write(`bootstrap: ${done} in ${elapsed()}\n`);
    for (const message of result.messages) console.error(message);
    const name = command.slice(0, 4).join(' ');
    if (attempts <= 1) throw new Error(`${name} ${result.problem}`);
    console.error(`bootstrap: ${name} ${result.problem}; trying again`);
    return run({ doing, done, command, count, attempts: attempts - 1 });
  };
}

/** Runs a command to its end: `{ messages, problem }`, without `problem` after success. */
function finished(directory, [program, ...words], onInstalled) {
  const messages = [];
  const child = spawn(program, words, {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NPM_CONFIG_UPDATE_NOTIFIER: 'false' },
  });
  let isSilent = false;
  const silence = setTimeout(() => {
    isSilent = true;
    child.kill();
  }, PATIENCE * 1000);
  const read = (line) => {
    const { installed, message } = readLogLine(line);
    if (installed) onInstalled();
    if (message !== undefined) messages.push(message);
  };
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream.setEncoding('utf8');
    stream.on('data', (text) => {
      silence.refresh();
      const lines = `${rest}${text}`.split('\n');
      rest = lines.pop();
      lines.forEach(read);
    });
    stream.on('end', () => read(rest));
  }
  return new Promise((resolve) => {
    const end = (problem) => {
      clearTimeout(silence);
      resolve({ messages, problem });
    };
    child.on('error', (error) => end(`cannot be run: ${error.message}`));
    child.on('close', (status, signal) => {
      if (status === 0) return end(undefined);
      if (isSilent) return end(`printed nothing for ${PATIENCE} s and was ended`);
      return end(signal === null ? `failed with status ${status}` : `ended by ${signal}`);
    });
  });
}
