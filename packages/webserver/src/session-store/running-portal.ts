// The file in which a running portal says which settings it uses, so that `--check` can
// tell whether they are those on disk.
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  isAlive,
  isRecord,
  ok,
  warning,
  writeFileAtomically,
  type Finding,
} from '@credmon/core/base';
import { readCredentialFile } from '@credmon/core/store';
import type { Settings } from '../settings/settings.ts';
import { VERSION } from '../version.ts';

const FILE = 'portal.json';

/**
 * A portal as it describes itself. `settings` is {@link settingsDigest}; `readAt`: when it
 * read them, in epoch seconds.
 */
interface RunningPortal {
  readonly pid: number;
  readonly version: string;
  readonly settings: string;
  readonly readAt: number;
}

/**
 * Returns a digest of the settings, without the listen address: --listen replaces it, and
 * a reload cannot change it.
 */
function settingsDigest(settings: Settings): string {
  const text = JSON.stringify({ ...settings, listen: undefined }, (_key, value: unknown) => {
    if (value instanceof Map) return ['map', ...value.entries()];
    if (value instanceof Set) return ['set', ...value];
    return value instanceof RegExp ? String(value) : value;
  });
  return createHash('sha256').update(text).digest('hex');
}

/**
 * Writes which settings this process uses from now on (`now` in epoch seconds). With a
 * session store in Redis there is no directory for it.
 * @throws the system's error
 */
export function noteSettings(settings: Settings, now: number): void {
  if (settings.sessionStore) return;
  const portal: RunningPortal = {
    pid: process.pid,
    version: VERSION,
    settings: settingsDigest(settings),
    readAt: Math.floor(now),
  };
  writeFileAtomically(pathOf(settings), `${JSON.stringify(portal)}\n`, {
    mode: 0o600,
    durable: false,
  });
}

/** Removes the file of {@link noteSettings}, if it is that of this process. */
export function forgetSettings(settings: Settings): void {
  if (readPortal(pathOf(settings))?.pid === process.pid) rmSync(pathOf(settings), { force: true });
}

const pathOf = ({ sessionDirectory }: Settings): string => join(sessionDirectory, FILE);

/** In bytes; a portal writes less than 300. */
const LARGEST = 4096;

const WHAT = 'running portal';

/** Reports whether the running portal, if one is seen, uses these settings. */
export function checkRunning(settings: Settings): Finding {
  if (settings.sessionStore)
    return ok(WHAT, 'not seen if sessions are in Redis: the checks are for the files on disk');
  const portal = readPortal(pathOf(settings));
  if (!portal || !isAlive(portal.pid))
    return ok(WHAT, 'none is seen: the checks are for the files on disk');
  const { pid, version, readAt } = portal;
  const who = `process ${pid}`;
  if (version !== VERSION)
    return warning(
      WHAT,
      `${who} is version ${version}, this is ${VERSION}; fix: systemctl restart condor_credmon_webserver`,
    );
  const read = `read at ${new Date(readAt * 1000).toISOString().replace('.000', '')}`;
  return portal.settings === settingsDigest(settings)
    ? ok(WHAT, `${who} uses the configuration on disk, ${read}`)
    : warning(
        WHAT,
        `${who} uses another configuration than the one on disk, ${read}; ` +
          `fix: systemctl reload condor_credmon_webserver (or, without systemd: kill -HUP ${pid})`,
      );
}

/**
 * Returns the portal that has written the file; `undefined` if it cannot be read. `--check`
 * may run as root in the directory of another user: it follows no link there, and waits for
 * no FIFO.
 */
function readPortal(path: string): RunningPortal | undefined {
  const reading = readCredentialFile(path, LARGEST);
  if (reading.kind !== 'text') return undefined;
  try {
    const value: unknown = JSON.parse(reading.text);
    if (!isRecord(value)) return undefined;
    const { pid, version, settings, readAt } = value;
    return typeof pid === 'number' &&
      typeof version === 'string' &&
      /^[\w.+-]{1,64}$/.test(version) &&
      typeof settings === 'string' &&
      typeof readAt === 'number' &&
      Math.abs(readAt) < 1e11
      ? { pid, version, settings, readAt }
      : undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}
