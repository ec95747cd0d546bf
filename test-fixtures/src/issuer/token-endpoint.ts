// Middleware of the token endpoint: logs every request and applies the faults of a test.
import { once } from 'node:events';
import type { Provider } from 'oidc-provider';
import {
  faultyAnswer,
  isLate,
  spoil,
  type EarlyFault,
  type FaultOptions,
  type LateFault,
} from './faults.ts';
import { tokenId, type TokenLog, type TokenRequest } from './token-log.ts';

/** The current fault. */
export interface CurrentFault {
  readonly name: EarlyFault | LateFault;
  readonly options: FaultOptions;
  /** Aborted when the fault is switched off. */
  readonly ended: AbortSignal;
}

/** The data of one request. */
export interface TokenState {
  fault?: EarlyFault | LateFault | undefined;
  /** Why the issuer rejected the request; the response does not contain it. */
  detail?: string | undefined;
}

type Context = Parameters<Parameters<Provider['use']>[0]>[0];

/**
 * Adds the log and the faults to `provider`. `takeFault` is called once per request.
 * `isStopped` says that the issuer has closed all connections.
 */
export function watchTokenEndpoint(
  provider: Provider,
  log: TokenLog,
  takeFault: () => CurrentFault | undefined,
  isStopped: () => boolean,
): void {
  provider.on('grant.error', (context, error) => {
    (context.state as TokenState).detail = error.error_detail ?? error.message;
  });
  provider.use(async (context, next) => {
    if (context.path !== '/token' || context.method !== 'POST') return next();
    const fault = takeFault();
    if (fault !== undefined && !isLate(fault.name))
      return failEarly(context, log, fault.name, fault.options);
    const state = context.state as TokenState;
    state.fault = fault?.name;
    await next();
    const form = (context.oidc?.body ?? {}) as Record<string, unknown>;
    const answer = isObject(context.body) ? context.body : {};
    const request: TokenRequest = {
      ...about(form, context.get('authorization')),
      ...(typeof answer['refresh_token'] === 'string'
        ? { issued: tokenId(answer['refresh_token']) }
        : {}),
      outcome: context.status === 200 ? 'issued' : textOf(answer['error'], String(context.status)),
      ...(state.detail === undefined ? {} : { description: state.detail }),
      ...(fault === undefined ? {} : { fault: fault.name }),
    };
    log.add(request);
    noteLost(context, () => isStopped() && log.lost(request));
    if (fault !== undefined && isLate(fault.name))
      await failLate(context, fault.name, fault, answer);
    return undefined;
  });
}

/** Calls `lost` when the connection is closed before the whole answer was sent. */
function noteLost({ req, res }: Context, lost: () => void): void {
  if (req.socket.destroyed) return lost();
  let isSent = false;
  // Also an answer that is written to a closed connection is finished.
  res.once('finish', () => {
    isSent = !req.socket.destroyed;
  });
  res.once('close', () => {
    if (!isSent) lost();
  });
}

async function failEarly(
  context: Context,
  log: TokenLog,
  name: EarlyFault,
  options: FaultOptions,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of context.req) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString('utf8');
  const form = Object.fromEntries(new URLSearchParams(body));
  const answer = faultyAnswer(name, options, body);
  log.add({ ...about(form, context.get('authorization')), fault: name });
  if (answer === undefined) {
    context.respond = false;
    if (name === 'reset') context.req.socket.destroy();
    return;
  }
  context.status = answer.status;
  context.set({ ...answer.headers });
  context.body = answer.body;
}

async function failLate(
  context: Context,
  name: LateFault,
  { options, ended }: CurrentFault,
  answer: Record<string, unknown>,
): Promise<void> {
  if (name === 'answer-lost') {
    context.respond = false;
    context.req.socket.destroy();
    return;
  }
  if (name === 'slow') await heldBack(context, AbortSignal.timeout((options.seconds ?? 5) * 1000));
  if (name === 'held') await heldBack(context, ended);
  if (context.status === 200) context.body = spoil(name, answer);
}

/** Waits until `until` is aborted or the client has disconnected. */
async function heldBack(context: Context, until: AbortSignal): Promise<void> {
  // Rejects when `until` is aborted, resolves when the client disconnects.
  await once(context.res, 'close', { signal: until }).catch(() => undefined);
}

function about(
  form: Record<string, unknown>,
  authorization: string,
): Omit<TokenRequest, 'outcome'> {
  const text = (name: string): string => textOf(form[name], '');
  const basic = /^basic (.+)$/i.exec(authorization)?.[1];
  const user =
    basic === undefined ? undefined : Buffer.from(basic, 'base64').toString('utf8').split(':')[0];
  return {
    at: Date.now() / 1000,
    grant: text('grant_type'),
    client: user === undefined ? text('client_id') : decodeURIComponent(user),
    ...(text('refresh_token') === '' ? {} : { presented: tokenId(text('refresh_token')) }),
  };
}

function textOf(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value)
  );
}
