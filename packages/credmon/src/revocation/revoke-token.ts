// One token: find out whom to ask, remove the files, then ask. What cannot be revoked
// keeps no file.
import { isCoded, messageOf, type Clock, type CodedError } from '@credmon/core/base';
import type { TokenFiles } from '@credmon/core/store';
import { type TokenSnapshot, parseObject, type Parsed } from '@credmon/core/credential';
import type { ProviderKind } from '../settings/lists.ts';
import { removeToken, type Removed, type RevocationFiles } from './files.ts';
import type { Prepare } from './revoker.ts';
import type { Fate, Step, Steps } from './steps.ts';

/**
 * How it ended. `kept`: nothing was removed or revoked, `why` says so; else `files` are
 * the names that went.
 */
export type Revoked =
  | { readonly kind: 'kept'; readonly why: string }
  | {
      readonly kind: 'removed';
      readonly files: readonly string[];
      readonly fates: readonly Fate[];
    };

/** What revoking one token uses. */
export interface RevocationContext {
  readonly files: RevocationFiles;
  readonly prepare: Prepare;
  readonly clock: Clock;
}

/**
 * How often a `.top` that changes under our hands is read again: a renewal rotates it
 * once, a login replaces it once.
 */
const ATTEMPTS = 5;

/**
 * Seconds before the second and the third request to an issuer that does not answer:
 * after this command nobody has the tokens any more.
 */
const WAITS: readonly number[] = [1, 3];

/**
 * Revokes a token of a provider of this kind. Never throws for what an issuer or a file
 * may do.
 */
export async function revokeOne(
  kind: ProviderKind,
  token: TokenSnapshot,
  context: RevocationContext,
): Promise<Revoked> {
  let gone: { readonly removed: Removed; readonly steps: Steps };
  try {
    gone = await remove(kind, token, context);
  } catch (error) {
    if (!isCoded(error)) throw error;
    return { kind: 'kept', why: error.message };
  }
  const { removed, steps } = gone;
  const fates: Fate[] = [];
  for (const step of steps.steps) fates.push(await ask(step, context.clock));
  const until = token.use.kind === 'valid' ? token.use.value.expiresAt : undefined;
  const left = until === undefined ? undefined : Math.floor(until - context.clock.now());
  return {
    kind: 'removed',
    files: removed.names,
    fates: [...fates, ...steps.survivors, ...strays(removed)].map((fate) => withLife(fate, left)),
  };
}

async function remove(
  kind: ProviderKind,
  token: TokenSnapshot,
  { files, prepare, clock }: RevocationContext,
): Promise<{ removed: Removed; steps: Steps }> {
  for (let attempt = 1; ; attempt += 1) {
    const texts: TokenFiles = files.store.read(token.user, token.stem);
    const plan = await prepare(kind, token, texts);
    try {
      const removed = await removeToken(token, texts, files, clock);
      const accessTokens = removed.uses.map(accessTokenIn).filter((text) => text !== undefined);
      const refreshToken = refreshTokenIn(texts.top);
      return { removed, steps: plan({ refreshToken, accessTokens: [...new Set(accessTokens)] }) };
    } catch (error) {
      if (!isCoded(error, 'CRED_SUPERSEDED') || attempt >= ATTEMPTS) throw error;
    }
  }
}

function strays({ trouble: why }: Removed): Fate[] {
  return why === undefined ? [] : [{ what: 'other files', revoked: false, why, fixable: true }];
}

/** Asks, again when time may fix it. */
async function ask({ what, where, revoke }: Step, clock: Clock): Promise<Fate> {
  for (const wait of [...WAITS, undefined]) {
    try {
      await revoke();
      return { what, revoked: true, where };
    } catch (error) {
      if (wait === undefined || !isPassing(error)) return refusalOf(what, error);
      await clock.wait(wait);
    }
  }
  return { what, revoked: false, why: 'not asked', fixable: true };
}

function isPassing(error: unknown): boolean {
  return isCoded(error, 'ISSUER_UNREACHABLE') || isCoded(error, 'ISSUER_BUSY');
}

/** @see RFC 7009, section 2.2.1 */
function refusalOf(what: string, error: unknown): Fate {
  if (isCoded(error) && isUnsupported(error))
    return {
      what,
      revoked: false,
      why: 'its issuer revokes no tokens of this kind',
      fixable: false,
    };
  return { what, revoked: false, why: messageOf(error), fixable: true };
}

function isUnsupported({ fields }: CodedError): boolean {
  return fields['error'] === 'unsupported_token_type';
}

/**
 * How long an access token that was not revoked is still good; one that has expired needs
 * no words.
 */
function withLife(fate: Fate, left: number | undefined): Fate {
  if (fate.revoked || fate.what !== 'access token' || left === undefined) return fate;
  if (left <= 0) return { ...fate, why: `${fate.why}; it has expired`, fixable: false };
  return { ...fate, why: `${fate.why}; it is good for ${left} s more` };
}

// The secrets in a token's files. Any user can have stored any bytes there.

/** What may be sent as a token: visible ASCII, of a sane length. */
const TOKEN = /^[!-~]{1,65536}$/;

/** The refresh token in `.top`; `undefined` when it holds none. */
function refreshTokenIn(top: Parsed<string>): string | undefined {
  const object = top.ok ? parseObject(top.value) : top;
  return object.ok ? tokenOf(object.value['refresh_token']) : undefined;
}

/** The access token in `.use`, JSON or bare; `undefined` when it holds none. */
function accessTokenIn(use: string): string | undefined {
  const object = parseObject(use);
  if (object.ok) return tokenOf(object.value['access_token']);
  return tokenOf(use.trim());
}

function tokenOf(value: unknown): string | undefined {
  return typeof value === 'string' && TOKEN.test(value) ? value : undefined;
}
