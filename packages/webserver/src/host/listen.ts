// The network side of the server: where it listens, and which proxies it trusts.
import { existsSync, fstatSync, readFileSync, statSync } from 'node:fs';
import type { Server } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { dirname } from 'node:path';
import { CodedError, makeSocket, messageOf, removeStaleSocket } from '@credmon/core/base';
import type { ListenAddress } from '../settings/settings.ts';

/**
 * The mode of the socket: the proxy opens it through its group, which is the group of the
 * directory.
 */
const SOCKET_MODE = 0o660;

/**
 * The list of unix sockets on Linux, with inode and path at the end of each line.
 * @see proc_net(5)
 */
const UNIX_SOCKETS = '/proc/net/unix';

/**
 * Returns a function that tests whether the X-Forwarded-* headers of a peer are trusted.
 * A peer on a unix socket has no address; file permissions control who can connect there.
 * @param trusted addresses and networks such as `10.0.0.0/8`
 * @throws CodedError `CONFIG_INVALID` for a text that is not an address or network
 */
export function trustFunction(
  trusted: readonly string[],
  listen: ListenAddress,
): (address: string | undefined) => boolean {
  const list = new BlockList();
  for (const text of trusted) addNetwork(list, text);
  const isListed = (address: string): boolean => {
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
    const version = isIP(plain);
    return version !== 0 && list.check(plain, version === 4 ? 'ipv4' : 'ipv6');
  };
  // Nearly all requests come from the same proxy.
  let last: { readonly address: string; readonly trusted: boolean } | undefined;
  return (address) => {
    if (address === undefined || address === '') return listen.kind !== 'tcp';
    if (last?.address !== address) last = { address, trusted: isListed(address) };
    return last.trusted;
  };
}

function addNetwork(list: BlockList, text: string): void {
  const [address = '', bits] = text.split('/');
  const version = isIP(address);
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const longest = version === 4 ? 32 : 128;
  const length = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
  if (version === 0 || length < 0 || length > longest)
    throw new CodedError(
      'CONFIG_INVALID',
      `CREDMON_WEB_TRUSTED_PROXIES: ${text} is not an address or a network`,
    );
  list.addSubnet(address, length, family);
}

/**
 * Starts listening and returns the address.
 * @param closed true if every peer of the socket is trusted as the proxy, so that other
 * users of this machine must not be able to open it
 * @throws CodedError `CONFIG_INVALID` if the address cannot be used, or others could open
 * the socket; the server does not listen then
 */
export async function listen(
  server: Server,
  address: ListenAddress,
  closed: boolean,
): Promise<string> {
  try {
    if (address.kind === 'unix') await removeStaleSocket(address.path);
    await bind(server, address);
  } catch (error) {
    // Node.js reports a missing directory of a socket as EACCES.
    const missing = address.kind === 'unix' && !existsSync(dirname(address.path));
    const text = missing ? `directory ${dirname(address.path)} is missing` : messageOf(error);
    throw new CodedError('CONFIG_INVALID', `cannot listen: ${text}`, {}, error);
  }
  try {
    if (closed) checkClosed(server, address);
  } catch (error) {
    server.close();
    throw error;
  }
  return where(server, address);
}

/**
 * Checks that other users of this machine cannot open the socket of a listening server.
 * @throws CodedError `CONFIG_INVALID`, also if the permissions are unknown
 */
export function checkClosed(server: Server, address: ListenAddress): void {
  const problem = accessProblem(server, address);
  if (problem === undefined) return;
  throw new CodedError(
    'CONFIG_INVALID',
    `${problem} and send any user name in CREDMON_WEB_REMOTE_USER_HEADER; ` +
      'fix: set CREDMON_WEB_LISTEN = unix:/path in a directory of the group of the ' +
      'proxy, or let systemd create a socket with a path ' +
      '(ListenStream=/path, SocketMode=0660, SocketGroup= the group of the proxy)',
  );
}

function bind(server: Server, address: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      server.off('error', reject);
      resolve();
    };
    server.once('error', reject);
    switch (address.kind) {
      case 'tcp':
        server.listen({ host: address.host, port: address.port }, done);
        break;
      case 'fd':
        server.listen({ fd: address.descriptor }, done);
        break;
      case 'unix':
        makeSocket(SOCKET_MODE, () => server.listen({ path: address.path }, done));
    }
  });
}

/** Returns the actual address: `http://0.0.0.0:8081`, `unix:/path` or `fd:N`. */
function where(server: Server, address: ListenAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  const bound = server.address();
  if (bound === null || typeof bound === 'string')
    return `fd:${address.kind === 'fd' ? address.descriptor : ''}`;
  const url = `http://${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`;
  return address.kind === 'fd' ? `fd:${address.descriptor} (${url})` : url;
}

/**
 * Returns why other users may be able to open the socket; `undefined` if its mode
 * prevents that. If it cannot be checked, it counts as open.
 */
function accessProblem(server: Server, address: ListenAddress): string | undefined {
  const name = where(server, address);
  const bound = server.address();
  if (bound !== null && typeof bound === 'object') return othersCanOpen(name);
  const path = pathOf(address);
  // An abstract socket has no mode: every process in the network namespace can connect.
  if (path?.startsWith('@'))
    return othersCanOpen(`${name} (abstract socket ${path.replace(/@+$/, '')})`);
  const status = path === undefined ? undefined : statSync(path, { throwIfNoEntry: false });
  if (status?.isSocket() !== true)
    return (
      `cannot check who can open ${name} (path not found${path === undefined ? '' : `: ${path}`}): ` +
      'other users of this machine may open it'
    );
  return (status.mode & 0o002) === 0 ? undefined : othersCanOpen(name);
}

const othersCanOpen = (name: string): string => `other users of this machine can open ${name}`;

function pathOf(address: ListenAddress): string | undefined {
  if (address.kind === 'unix') return address.path;
  return address.kind === 'fd' ? nameOfSocket(address.descriptor) : undefined;
}

/**
 * Returns the name of an inherited unix socket on Linux: a path, or `@` and an abstract
 * name. `undefined` for a relative path, a socket of another network namespace, and on
 * other systems.
 */
function nameOfSocket(descriptor: number): string | undefined {
  const inode = String(fstatSync(descriptor).ino);
  if (!existsSync(UNIX_SOCKETS)) return undefined;
  const names = readFileSync(UNIX_SOCKETS, 'utf8')
    .split('\n')
    .map((line) => /^(?:\S+ +){6}(\d+) ([/@].*)$/.exec(line))
    .filter((match) => match?.[1] === inode)
    .map((match) => match?.[2]);
  // A second line with the same inode can only be forged by the name of another socket
  // with a line feed in it; any user can choose such a name.
  return names.length === 1 ? names[0] : undefined;
}
