// Floors on files: the least that a program in Node.js does for a row.
import {
  close,
  closeSync,
  fsync,
  fsyncSync,
  fstatSync,
  lstatSync,
  open,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rename,
  renameSync,
  write,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createPrivateKey, sign } from 'node:crypto';
import { promisify } from 'node:util';

const [openFile, writeFile, syncFile, closeFile, renameFile] = [
  promisify(open),
  promisify(write),
  promisify(fsync),
  promisify(close),
  promisify(rename),
];

/** readdir and lstat of everything below `root`; returns the number of files. */
export function look(root: string): number {
  let files = 0;
  for (const user of readdirSync(root)) {
    const directory = `${root}/${user}`;
    if (!lstatSync(directory).isDirectory()) continue;
    for (const name of readdirSync(directory)) {
      lstatSync(`${directory}/${name}`);
      files += 1;
    }
  }
  return files;
}

/** As `look`, and reads each `.use`. */
export function readUse(root: string): number {
  const buffer = Buffer.allocUnsafe(65_536);
  let bytes = 0;
  for (const user of readdirSync(root)) {
    const directory = `${root}/${user}`;
    if (!lstatSync(directory).isDirectory()) continue;
    for (const name of readdirSync(directory)) {
      const path = `${directory}/${name}`;
      lstatSync(path);
      if (!name.endsWith('.use')) continue;
      const descriptor = openSync(path, 'r');
      bytes += readSync(descriptor, buffer);
      closeSync(descriptor);
    }
  }
  return bytes;
}

/** readdir, and open, fstat, read and close of every file. */
export function readAll(root: string): number {
  const buffer = Buffer.allocUnsafe(65_536);
  let bytes = 0;
  for (const user of readdirSync(root)) {
    const directory = `${root}/${user}`;
    if (!lstatSync(directory).isDirectory()) continue;
    for (const name of readdirSync(directory)) {
      const descriptor = openSync(`${directory}/${name}`, 'r');
      fstatSync(descriptor);
      bytes += readSync(descriptor, buffer);
      closeSync(descriptor);
    }
  }
  return bytes;
}

const TEXT = JSON.stringify({ access_token: 'x'.repeat(250), expires_in: 3600 });

/**
 * For each token, writes two temporary files, fsyncs and renames them, `parallel` tokens
 * at a time.
 */
export async function durable(directory: string, tokens: number, parallel: number): Promise<void> {
  let next = 0;
  const one = async (path: string): Promise<void> => {
    const descriptor = await openFile(`${path}.tmp`, 'wx', 0o600);
    await writeFile(descriptor, TEXT);
    await syncFile(descriptor);
    await closeFile(descriptor);
    await renameFile(`${path}.tmp`, path);
  };
  const worker = async (): Promise<void> => {
    while (next < tokens) {
      const path = `${directory}/t${(next += 1)}`;
      await one(`${path}.top`);
      await one(`${path}.use`);
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
}

/** The same one after the other, without threads: its CPU time depends least on other load. */
export function durableInTurn(directory: string, tokens: number): void {
  for (let index = 0; index < tokens; index += 1)
    for (const ending of ['top', 'use']) {
      const path = `${directory}/t${index}.${ending}`;
      const descriptor = openSync(`${path}.tmp`, 'wx', 0o600);
      writeSync(descriptor, TEXT);
      fsyncSync(descriptor);
      closeSync(descriptor);
      renameSync(`${path}.tmp`, path);
    }
}

/** For each token, signs a JWT, writes a temporary file and renames it. */
export function signed(
  directory: string,
  tokens: number,
  keyFile: string,
  algorithm: 'ES256' | 'RS256',
): void {
  const key = createPrivateKey(readFileSync(keyFile));
  const base64 = (value: unknown): string =>
    Buffer.from(JSON.stringify(value)).toString('base64url');
  const header = base64({ alg: algorithm, typ: 'JWT', kid: 'local' });
  for (let index = 0; index < tokens; index += 1) {
    const payload = base64({
      iss: 'https://ap.example.test',
      sub: `u${index}`,
      aud: ['ANY'],
      scope: `read:/user/u${index} write:/user/u${index}`,
      ver: 'scitoken:2.0',
      iat: 1_790_000_000,
      nbf: 1_790_000_000,
      exp: 1_790_086_400,
      jti: `00000000-0000-0000-0000-${String(index).padStart(12, '0')}`,
    });
    const input = `${header}.${payload}`;
    const signature =
      algorithm === 'ES256'
        ? sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
        : sign('sha256', Buffer.from(input), key);
    const token = `${input}.${signature.toString('base64url')}`;
    const path = `${directory}/t${index}`;
    writeFileSync(
      `${path}.tmp`,
      JSON.stringify({
        access_token: token,
        expires_in: 86_400,
        issued_at: 1_790_000_000,
        expires_at: 1_790_086_400,
      }),
      { mode: 0o600, flag: 'wx' },
    );
    renameSync(`${path}.tmp`, `${path}.use`);
  }
}
