// The server's log: winston in front, behind it a synchronous writer that keeps one old file, as HTCondor does by default.
import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';
import { Writable } from 'node:stream';
import winston from 'winston';
import { CodedError, messageOf, systemCode } from '@credmon/core/base';
import type { Log } from './ports.ts';

/** Where to log: standard error without a `file`. `maxBytes` of 0 never rotates. */
export interface LogOptions {
  readonly file?: string;
  readonly maxBytes: number;
  readonly debug: boolean;
}

/** A log that can be opened anew under the same name, after somebody moved the file away, and closed. */
export interface ServerLog extends Log {
  reopen(): void;
  close(): void;
}

/**
 * Opens the log. Lines look like `11/23/26 10:00:00 text`.
 * @throws CodedError `LOG_UNWRITABLE`
 * @see https://htcondor.readthedocs.io/en/latest/admin-manual/configuration-macros.html#daemon-logging-configuration-file-entries
 */
export function openLog(options: LogOptions): ServerLog {
  const line = winston.format.printf(
    ({ level, message }) =>
      `${localTime(new Date())} ${level === 'error' || level === 'warn' ? `${level.toUpperCase()}: ` : ''}${oneLine(String(message))}`,
  );
  const sink = options.file === undefined ? STANDARD_ERROR : fileSink(options.file, options.maxBytes);
  const stream = new Writable({
    decodeStrings: false,
    write: (chunk: unknown, _encoding, done) => {
      sink.write(String(chunk));
      done();
    },
  });
  const logger = winston.createLogger({
    level: options.debug ? 'debug' : 'info',
    format: line,
    transports: [new winston.transports.Stream({ stream, eol: '\n' })],
  });
  return {
    error: (text) => void logger.error(text),
    warn: (text) => void logger.warn(text),
    info: (text) => void logger.info(text),
    debug: (text) => void logger.debug(text),
    reopen: () => sink.reopen(),
    close: () => {
      logger.close();
      sink.close();
    },
  };
}

/** `MM/DD/YY HH:MM:SS` in local time. */
function localTime(now: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = [now.getMonth() + 1, now.getDate(), now.getFullYear() % 100].map(two).join('/');
  return `${date} ${[now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join(':')}`;
}

/** Nobody forges a line: breaks and control characters become blanks. */
const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ');

/** Where lines go. */
interface Sink {
  write(text: string): void;
  reopen(): void;
  close(): void;
}

const STANDARD_ERROR: Sink = {
  write: (text) => writeTo(2, text),
  reopen: () => undefined,
  close: () => undefined,
};

function fileSink(path: string, maxBytes: number): Sink {
  let descriptor = openAppending(path);
  const reopen = (): void => {
    const old = descriptor;
    descriptor = openAppending(path);
    closeSync(old);
  };
  return {
    write(text) {
      unlessDiskFails(() => {
        if (maxBytes === 0 || fstatSync(descriptor).size < maxBytes) return;
        renameSync(path, `${path}.old`);
        reopen();
      });
      writeTo(descriptor, text);
    },
    reopen: () => unlessDiskFails(reopen),
    close: () => closeSync(descriptor),
  };
}

function openAppending(path: string): number {
  try {
    return openSync(path, 'a', 0o640);
  } catch (error) {
    throw new CodedError(
      'LOG_UNWRITABLE',
      `CREDMON_WEB_LOG ${path} cannot be opened: ${messageOf(error)}`,
      { path },
      error,
    );
  }
}

function writeTo(descriptor: number, text: string): void {
  unlessDiskFails(() => writeSync(descriptor, text));
}

/** A full disk must not stop logins: a line that cannot be written is lost, and the next one tries again. */
function unlessDiskFails(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
  }
}
