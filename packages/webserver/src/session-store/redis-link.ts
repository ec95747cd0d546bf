// The connection to Redis: opened at start, reopened when it breaks, with a timeout for
// each request.
import { createClient, type RedisClientOptions } from '@redis/client';
import {
  CodedError,
  messageOf,
  networkErrorText,
  networkFailure,
  readSafely,
  systemCode,
  systemTrust,
  type NetworkServer,
  type Trust,
} from '@credmon/core/base';
import type { RedisAddress } from '../settings/settings.ts';

/** The timeout of a request to Redis, in milliseconds. */
const TIMEOUT = 5000;

/** The prefix of our keys; the braces keep all keys on one node of a cluster. */
const PREFIX = '{credmon_web}:';

type RedisSocketOptions = NonNullable<RedisClientOptions['socket']>;

/** The result of the script: a status and a text. */
export interface RedisAnswer {
  readonly status: string;
  readonly text: string;
}

/** An open connection. */
export interface RedisLink {
  /**
   * Runs the script on records of `kind`.
   * @throws CodedError `SESSION_STORE_DOWN`, `SESSION_STORE_FULL`
   */
  run(
    kind: string,
    what: string,
    values: Readonly<Record<string, unknown>>,
    text?: string,
  ): Promise<RedisAnswer>;
  /**
   * Returns the value that all processes share under `name`: the `proposal` of the first
   * process.
   * @throws CodedError `SESSION_STORE_DOWN`
   */
  agree(name: string, proposal: string): Promise<string>;
  /**
   * Returns the shared value, if any.
   * @throws CodedError `SESSION_STORE_DOWN`
   */
  agreed(name: string): Promise<string | undefined>;
  close(): Promise<void>;
}

/**
 * Connects. `onProblem` is called each time an open connection breaks, and when it is
 * open again. A TLS certificate is verified with the certificate authorities that `trust`
 * has now.
 * @throws CodedError `SESSION_STORE_DOWN`, `SECRET_UNREADABLE`
 */
export async function openRedis(
  address: RedisAddress,
  onProblem: (text: string) => void,
  trust: Trust = systemTrust(),
): Promise<RedisLink> {
  const { user, passwordFile, database } = address;
  let connected = false;
  let healthy = false;
  const client = createClient({
    socket: socketOf(address, trust, (retries) => (connected ? delayOf(retries) : false)),
    database,
    disableOfflineQueue: true,
    ...(user === undefined ? {} : { username: user }),
    ...(passwordFile === undefined ? {} : { password: readPassword(passwordFile) }),
  });
  client.on('error', (error: unknown) => {
    if (healthy) onProblem(`lost the connection to the session store: ${reasonOf(error, address)}`);
    healthy = false;
  });
  client.on('ready', () => {
    if (!healthy && connected) onProblem('the session store is available again');
    healthy = true;
  });
  try {
    await within(client.connect());
    connected = true;
  } catch (error) {
    client.destroy();
    throw down(error, await connectionFailure(error, address, trust));
  }
  const call = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await within(work());
    } catch (error) {
      throw down(error, reasonOf(error, address));
    }
  };
  return {
    run: async (kind, what, values, text = '') => {
      const options = {
        keys: [`${PREFIX}${kind}:`],
        arguments: [what, JSON.stringify(values), text],
      };
      const answer: unknown = await call(() => client.eval(REDIS_SCRIPT, options));
      const [status, result] = Array.isArray(answer) ? answer : [];
      return { status: String(status), text: String(result) };
    },
    agree: async (name, proposal) => {
      await call(() => client.set(`${PREFIX}${name}`, proposal, { condition: 'NX' }));
      return (await call(() => client.get(`${PREFIX}${name}`))) ?? proposal;
    },
    agreed: async (name) => (await call(() => client.get(`${PREFIX}${name}`))) ?? undefined,
    close: async () => {
      await within(client.close()).catch(() => client.destroy());
    },
  };
}

function socketOf(
  address: RedisAddress,
  trust: Trust,
  reconnectStrategy: (retries: number) => number | false,
): RedisSocketOptions {
  const common = { connectTimeout: TIMEOUT, reconnectStrategy };
  if (address.kind === 'unix') return { ...common, path: address.path, tls: false };
  const { host, port, tls } = address;
  if (!tls) return { ...common, host, port };
  return { ...common, host, port, tls, servername: host, secureContext: trust.current().context };
}

/**
 * Returns the delay before the next attempt, in milliseconds. Attempts never stop, so
 * that the portal recovers without a restart.
 */
const delayOf = (retries: number): number => Math.min(100 * 2 ** Math.min(retries, 6), TIMEOUT);

/** The largest size of the password file, in bytes. */
const LARGEST_SECRET = 64 * 1024;

function readPassword(path: string): string {
  const refuse = (why: string): CodedError =>
    new CodedError('SECRET_UNREADABLE', `CREDMON_WEB_SESSION_STORE_PASSWORD_FILE ${path} ${why}`, {
      path,
    });
  const reading = readSafely(path, LARGEST_SECRET);
  if (reading.kind === 'missing') throw refuse('cannot be read (ENOENT)');
  if (reading.kind === 'broken') throw refuse(reading.reason);
  if ((reading.mode & 0o077) !== 0)
    throw refuse(`can be read by others; fix: chmod go-rwx ${path}`);
  return reading.text.split('\n', 1)[0]?.trim() ?? '';
}

function within<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${TIMEOUT / 1000} s`)), TIMEOUT);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function down(error: unknown, reason: string): CodedError {
  if (/^OOM\b/.test(messageOf(error)))
    return new CodedError('SESSION_STORE_FULL', 'the session store is out of memory', {}, error);
  return new CodedError(
    'SESSION_STORE_DOWN',
    `the session store is not available: ${reason}`,
    {},
    error,
  );
}

/**
 * Redis error texts may quote commands, so only the first word of an error reply is
 * reported.
 */
function reasonOf(error: unknown, address: RedisAddress): string {
  const code = systemCode(error);
  if (code !== undefined)
    return address.kind === 'unix' ? code : networkErrorText(code, serverAt(address));
  const text = messageOf(error);
  const reply =
    /^(NOAUTH|WRONGPASS|NOPERM|ERR|LOADING|READONLY|MISCONF|MOVED|CLUSTERDOWN|MASTERDOWN|BUSY)\b/.exec(
      text,
    )?.[1];
  return reply ?? text;
}

/** Returns why no connection was made; of a rejected certificate, the details. */
async function connectionFailure(
  error: unknown,
  address: RedisAddress,
  trust: Trust,
): Promise<string> {
  if (address.kind === 'unix' || !address.tls || systemCode(error) === undefined)
    return reasonOf(error, address);
  return networkFailure(error, serverAt(address), trust.remedy);
}

function serverAt({ host, port }: RedisAddress & { kind: 'tcp' }): NetworkServer {
  return { hostname: host, port };
}

/**
 * A Lua script for Redis 6 and Valkey. Each call is atomic, so that concurrent servers
 * see the same order and count. KEYS[1] is the base of all keys of a kind:
 * `<base><member>` is a record, `<base>all` a sorted set of the members by last use in
 * epoch seconds, `<base>of:<tag>` the same for one owner, whose tag the member begins
 * with. ARGV: the operation, a JSON object of arguments, and a text. Returns a status and
 * a text.
 * @see https://redis.io/docs/latest/develop/programmability/eval-intro/
 */
export const REDIS_SCRIPT = `
local base, what, a, text = KEYS[1], ARGV[1], cjson.decode(ARGV[2]), ARGV[3]
local all = base .. 'all'
local function own(member) return base .. 'of:' .. string.sub(member, 1, 16) end
local function drop(member)
  redis.call('DEL', base .. member)
  redis.call('ZREM', all, member)
  redis.call('ZREM', own(member), member)
end
local function prune()
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', all, '-inf', a.now - a.age)) do drop(member) end
end
local function room(member)
  local count = redis.call('ZCARD', own(member))
  if count >= a.perUser then
    for _, oldest in ipairs(redis.call('ZRANGE', own(member), 0, count - a.perUser)) do drop(oldest) end
    return true
  end
  if redis.call('ZCARD', all) < a.count then return true end
  prune()
  return redis.call('ZCARD', all) < a.count
end
local function touch(member)
  redis.call('ZADD', all, a.now, member)
  redis.call('ZADD', own(member), a.now, member)
end
if what == 'prune' then prune() return {'ok', ''} end
if what == 'count' then return {'ok', tostring(redis.call('ZCARD', all))} end

local member, record = a.member, base .. a.member
local usedAt = tonumber(redis.call('ZSCORE', all, member) or '-inf')
local function created() return tonumber(redis.call('HGET', record, 'createdAt') or '-inf') end
if what == 'remove' then drop(member) return {'ok', ''} end
if what == 'get' or what == 'set' then
  local known = created()
  if a.now - usedAt >= a.age or a.now - known >= a.absolute then
    drop(member)
    known = nil
  end
  if what == 'get' then
    if not known then return {'none', ''} end
    if math.abs(a.now - usedAt) > a.touch then touch(member) end
    return {'ok', redis.call('HGET', record, 'session')}
  end
  if not known and not room(member) then return {'full', ''} end
  redis.call('HSET', record, 'createdAt', known or a.now, 'session', text)
  redis.call('EXPIRE', record, a.keep)
  touch(member)
  return {'ok', ''}
end
if what == 'read' then
  if a.now - usedAt >= a.age then return {'none', ''} end
  return {'ok', redis.call('GET', record) or ''}
end
local length = redis.call('STRLEN', record)
if a.opening then
  if length > 0 then return {'exists', ''} end
  if #text > a.most then return {'long', ''} end
  if not room(member) then return {'full', ''} end
elseif length == 0 then return {'none', ''}
elseif length + #text > a.most then return {'long', ''} end
redis.call('APPEND', record, text)
redis.call('EXPIRE', record, a.keep)
touch(member)
return {'ok', redis.call('GET', record)}
`;
