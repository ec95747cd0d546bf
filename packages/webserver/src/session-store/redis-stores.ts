// Stores sessions, flows and answers in Redis or Valkey, for portals on several hosts.
import { createHash, randomBytes } from 'node:crypto';
import { callbackify } from 'node:util';
import type { SessionStore } from '@fastify/session';
import { isRecord, CodedError, type Clock, type Trust } from '@credmon/core/base';
import { ownerTag } from '../flow/context.ts';
import { MAX_OPEN_PER_USER, MAX_SESSION_BYTES } from '../flow/flow.ts';
import type { AnswerStore, FlowLog } from '../flow/ports.ts';
import type { RedisAddress } from '../settings/settings.ts';
import { flowEvents, flowFull, maxFlowBytes } from './flow-text.ts';
import { openRedis, type RedisAnswer, type RedisLink } from './redis-link.ts';
import { tooManyOpen, type SessionLimits } from './session-directory.ts';
import type { Stores } from './file-stores.ts';

/** The time of the last use is updated at most once per this interval, in seconds. */
const TOUCH_SECONDS = 30;

/**
 * Opens the stores. `clock` decides the timeouts; Redis removes old records by their
 * expiry time.
 * @throws CodedError `SESSION_STORE_DOWN`, `SECRET_UNREADABLE`
 */
export async function openRedisStores(
  address: RedisAddress,
  clock: Clock,
  limits: SessionLimits,
  onProblem: (text: string) => void,
  trust?: Trust,
): Promise<Stores> {
  const link = await openRedis(address, onProblem, trust);
  const cookieSecret = await agreeOrClose(link);
  const { idle, absolute, answer, count } = limits;
  const common = { perUser: MAX_OPEN_PER_USER, count, absolute, keep: Math.ceil(absolute) };
  const ages = { session: idle, flow: absolute, answer };
  const of = (kind: 'session' | 'flow' | 'answer', id: string) => ({
    ...common,
    ...(kind === 'answer' ? { absolute: answer, keep: Math.ceil(answer) } : {}),
    age: ages[kind],
    now: clock.now(),
    member: memberOf(id),
  });
  const kept = async (kind: string): Promise<number> =>
    Number((await link.run(kind, 'count', {})).text);
  return {
    sessions: sessionsIn(link, (id) => of('session', id), limits),
    flows: flowsIn(link, (id) => of('flow', id), limits),
    answers: answersIn(link, (id) => of('answer', id), limits),
    cookieSecret,
    check: async () => void (await link.agree('check', 'a few bytes')),
    count: async () => ({ sessions: await kept('session'), flows: await kept('flow') }),
    prune: async () => {
      await link.run('session', 'prune', of('session', ''));
      await link.run('flow', 'prune', of('flow', ''));
      await link.run('answer', 'prune', of('answer', ''));
    },
    close: () => link.close(),
  };
}

/**
 * Returns the cookie key that all processes share. On failure, the connection is closed.
 */
async function agreeOrClose(link: RedisLink): Promise<string> {
  try {
    return await link.agree('cookie-key', randomBytes(32).toString('base64url'));
  } catch (error) {
    await link.close();
    throw error;
  }
}

type Values = (id: string) => Readonly<Record<string, unknown>>;

/** The owner tag and the hash of the id, so that a reader of Redis learns no id. */
function memberOf(id: string): string {
  return `${ownerTag(id)}-${createHash('sha256').update(id).digest('hex')}`;
}

function sessionsIn(link: RedisLink, values: Values, limits: SessionLimits): SessionStore {
  const set = async (id: string, session: unknown): Promise<null> => {
    const text = JSON.stringify(session);
    if (text.length > MAX_SESSION_BYTES)
      throw new CodedError(
        'SESSION_STORE_FULL',
        `a session of ${text.length} characters is too large`,
      );
    checkStatus(await link.run('session', 'set', values(id), text), limits);
    return null;
  };
  const get = async (id: string): Promise<Parameters<SessionStore['set']>[1] | null> => {
    const { status, text } = await link.run('session', 'get', {
      ...values(id),
      touch: TOUCH_SECONDS,
    });
    if (status !== 'ok') return null;
    const session: unknown = JSON.parse(text);
    return isRecord(session) ? (session as unknown as Parameters<SessionStore['set']>[1]) : null;
  };
  const remove = async (id: string): Promise<null> => {
    await link.run('session', 'remove', values(id));
    return null;
  };
  return { get: callbackify(get), set: callbackify(set), destroy: callbackify(remove) };
}

/**
 * Stores answers like sessions: replaced as a whole. Reading an answer does not extend
 * its lifetime.
 */
function answersIn(link: RedisLink, values: Values, limits: SessionLimits): AnswerStore {
  return {
    put: async (id, text) => {
      await link.run('answer', 'remove', values(id));
      checkStatus(await link.run('answer', 'set', values(id), text), limits);
    },
    read: async (id) => {
      const { status, text } = await link.run('answer', 'get', {
        ...values(id),
        touch: TOUCH_SECONDS,
      });
      return status === 'ok' ? text : undefined;
    },
    remove: async (id) => void (await link.run('answer', 'remove', values(id))),
  };
}

function flowsIn(link: RedisLink, values: Values, limits: SessionLimits): FlowLog {
  return {
    read: async (id) => flowEvents((await link.run('flow', 'read', values(id))).text),
    append: async (id, event) => {
      const { type } = event;
      const more = { opening: type === 'opened', most: maxFlowBytes(type) };
      const answer = await link.run(
        'flow',
        'append',
        { ...values(id), ...more },
        `${JSON.stringify(event)}\n`,
      );
      checkStatus(answer, limits);
      return flowEvents(answer.text);
    },
    remove: async (id) => void (await link.run('flow', 'remove', values(id))),
  };
}

function checkStatus({ status }: RedisAnswer, { count }: SessionLimits): void {
  switch (status) {
    case 'full':
      throw tooManyOpen(count);
    case 'long':
      throw flowFull();
    case 'exists':
      throw new Error('EEXIST: the flow already exists');
    default:
  }
}
