// The network side of the server: where it listens, and which proxies it believes.
import { existsSync, chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { BlockList, connect, isIP } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { CodedError, messageOf } from '@credmon/core/base';
import type { ListenAddress } from './settings/settings.ts';

/** The socket is for the proxy's group: the directory it lies in says who that is. */
const SOCKET_MODE = 0o660;

/**
 * Says for each peer whether its X-Forwarded-* headers are believed.
 * @param trusted addresses and networks such as `10.0.0.0/8`
 * @returns a function of the peer's address, which is missing on a unix socket: who may open that is the file system's business
 * @throws CodedError `CONFIG_INVALID` for what is neither an address nor a network
 */
export function trustFunction(
  trusted: readonly string[],
  listen: ListenAddress,
): (address: string | undefined) => boolean {
  const list = new BlockList();
  for (const text of trusted) addNetwork(list, text);
  return (address) => {
    if (address === undefined || address === '') return listen.kind !== 'tcp';
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
    const version = isIP(plain);
    return version !== 0 && list.check(plain, version === 4 ? 'ipv4' : 'ipv6');
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
      `CREDMON_WEB_TRUSTED_PROXIES names ${text}, which is neither an address nor a network`,
    );
  list.addSubnet(address, length, family);
}

/**
 * Lets the server listen and says where.
 * @throws CodedError `CONFIG_INVALID` when the address cannot be had
 */
export async function listen(app: FastifyInstance, address: ListenAddress): Promise<string> {
  try {
    switch (address.kind) {
      case 'tcp':
        return await app.listen({ host: address.host, port: address.port });
      case 'unix':
        await removeStaleSocket(address.path);
        await app.listen({ path: address.path });
        chmodSync(address.path, SOCKET_MODE);
        return `unix:${address.path}`;
      case 'fd':
        await app.ready();
        await new Promise<void>((resolve, reject) => {
          app.server.once('error', reject).listen({ fd: address.descriptor }, resolve);
        });
        return `fd:${address.descriptor}`;
    }
  } catch (error) {
    throw new CodedError('CONFIG_INVALID', `cannot listen: ${messageOf(error)}`, {}, error);
  }
}

/** A socket that nobody answers on was left by a killed server. */
async function removeStaleSocket(path: string): Promise<void> {
  if (!existsSync(path) || !lstatSync(path).isSocket()) return;
  const alive = await new Promise<boolean>((resolve) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
  if (!alive) unlinkSync(path);
}
