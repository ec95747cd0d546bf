// The token commands: create, verify, acls.
import { CodedError, durationText, printableLine } from '@credmon/core/base';
import { DEFAULT_ALGORITHMS } from '../token/algorithms.ts';
import { PROFILES, type Profile } from '../token/claims.ts';
import { readCompact, type JsonObject } from '../token/compact.ts';
import { enforce, type Enforcer } from '../verify/enforce.ts';
import { createIssuerKeys } from '../verify/issuer-keys.ts';
import { readKeySet, writeJwk } from '../keys/jwk.ts';
import { createKeyCache, keyCacheDirectory } from '../verify/key-files.ts';
import { algorithmNamed } from './key-commands.ts';
import {
  namedKeyFrom,
  parseJsonText,
  readText,
  signingKeyFrom,
  type KeyOptions,
  readTokenArgument,
} from './token-source.ts';
import { issueToken } from '../token/sign.ts';
import { fixedKeys, verify, type KeyFinder, type VerifiedToken } from '../verify/verify.ts';
import { type Io, misuse, localTime } from './io.ts';

/** Options of `token create`. */
export interface CreateOptions extends KeyOptions {
  readonly issuer: string;
  readonly subject: string;
  readonly scope: readonly string[];
  readonly audience?: readonly string[] | undefined;
  readonly lifetime: number;
  readonly profile: string;
  readonly claim?: readonly string[] | undefined;
  readonly claimJson?: readonly string[] | undefined;
  readonly out?: string | undefined;
  readonly json?: boolean | undefined;
}

/** `token create`: issues a token. */
export function tokenCreate(options: CreateOptions, io: Io): void {
  const { issuer, subject, scope, audience = [], lifetime, out } = options;
  const claims = {
    ...pairs(options.claim ?? [], (text) => text),
    ...pairs(options.claimJson ?? [], parseJson),
  };
  const [only] = audience;
  const token = issueToken(
    signingKeyFrom(options, lifetime, io),
    {
      profile: profileNamed(options.profile),
      issuer,
      subject,
      scope: scope.join(' '),
      lifetime,
      claims,
      audience: audience.length > 1 ? audience : only,
    },
    { now: io.now(), random: io.random },
  );
  if (out !== undefined) io.writeFile(out, `${token}\n`, 0o600);
  const { header, claims: signed } = readCompact(token);
  if (options.json) {
    const shown = out === undefined ? token : undefined;
    io.out(`${JSON.stringify({ token: shown, out, header, claims: signed })}\n`);
  } else if (out === undefined) io.out(`${token}\n`);
}

function profileNamed(name: string): Profile {
  const profile = PROFILES.find((one) => one === name || (name === 'wlcg' && one === 'wlcg:1.0'));
  if (profile === undefined)
    throw misuse(`unknown profile ${name}; must be one of ${PROFILES.join(', ')}`);
  return profile;
}

function pairs(texts: readonly string[], read: (text: string) => unknown): JsonObject {
  return Object.fromEntries(
    texts.map((text) => {
      const [, name, value] = /^([^=]+)=([\s\S]*)$/.exec(text) ?? [];
      if (name === undefined || value === undefined)
        throw misuse(`invalid claim ${text}: must be name=value`);
      return [name, read(value)];
    }),
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw misuse('the value of --claim-json is not JSON');
  }
}

/** Options with the issuer's keys: from a file, or fetched. */
export interface KeySource {
  readonly jwks?: string | undefined;
  readonly key?: string | undefined;
  readonly insecure?: boolean | undefined;
  readonly cache?: boolean | undefined;
}

/** Options of `token verify` and `token acls`. */
export interface VerifyArguments extends KeySource {
  readonly issuer?: readonly string[] | undefined;
  readonly audience?: readonly string[] | undefined;
  readonly test?: readonly string[] | undefined;
  readonly algorithm?: readonly string[] | undefined;
  readonly leeway?: number | undefined;
  readonly json?: boolean | undefined;
}

/**
 * `token verify`: verifies signature, issuer and times; with `--audience` also the
 * audience; with `--test` also the authorizations.
 */
export async function tokenVerify(
  argument: string | undefined,
  options: VerifyArguments,
  io: Io,
): Promise<void> {
  const token = await verifyArgument(argument, options, io);
  const { claims, profile, algorithm } = token;
  const tests = (options.test ?? []).map(splitTest);
  if (options.audience !== undefined || tests.length > 0) {
    const enforcer = enforceArgument(token, options);
    const denied = tests.find(({ authz, path }) => !enforcer.test(authz, path));
    if (denied !== undefined)
      throw new CodedError(
        'TOKEN_DENIED',
        `the token does not allow ${denied.authz} on ${denied.path}`,
        {
          ...denied,
        },
      );
  }
  const left = claims.exp - io.now();
  if (options.json)
    io.out(
      `${JSON.stringify({ accepted: true, profile, algorithm, claims, secondsLeft: Math.floor(left) })}\n`,
    );
  else
    io.out(
      `accepted: ${profile}, ${algorithm}, issuer ${claims.iss}, until ` +
        `${localTime(claims.exp)} (${durationText(left)} left)\n`,
    );
}

function splitTest(text: string): { authz: string; path: string } {
  const colon = text.indexOf(':');
  if (colon === 0 || text === '')
    throw misuse(`invalid --test ${text}: must be authorization:/path`);
  return colon < 0
    ? { authz: text, path: '/' }
    : { authz: text.slice(0, colon), path: text.slice(colon + 1) };
}

/**
 * `token acls`: lists the authorizations of a token. Its own audience is accepted unless
 * one is given.
 */
export async function tokenAcls(
  argument: string | undefined,
  options: VerifyArguments,
  io: Io,
): Promise<void> {
  const acls = enforceArgument(await verifyArgument(argument, options, io), options).acls();
  if (options.json) return io.out(`${JSON.stringify({ accepted: true, acls })}\n`);
  io.out(acls.map(({ authz, path }) => `${printableLine(`${authz}:${path}`)}\n`).join(''));
}

function enforceArgument(token: VerifiedToken, { audience }: VerifyArguments): Enforcer {
  const { aud } = token.claims;
  const own =
    typeof aud === 'string'
      ? [aud]
      : Array.isArray(aud)
        ? aud.filter((one) => typeof one === 'string')
        : [];
  return enforce(token, { audience: audience ?? own });
}

async function verifyArgument(
  argument: string | undefined,
  options: VerifyArguments,
  io: Io,
): Promise<VerifiedToken> {
  const token = readTokenArgument(argument, io);
  return verifyWith(token, options, io);
}

/** Verifies with the keys in the options, else with the keys published by the issuer. */
export function verifyWith(
  token: string,
  options: VerifyArguments,
  io: Io,
): Promise<VerifiedToken> {
  const { leeway = 0, issuer: issuers = 'any' } = options;
  const algorithms = options.algorithm?.map(algorithmNamed) ?? DEFAULT_ALGORITHMS;
  return verify(token, {
    keys: keysFor(token, options, io),
    issuers,
    now: io.now(),
    leeway,
    algorithms,
  });
}

/** Returns the keys in the options, else those that the issuer publishes. */
export function keysFor(
  token: string,
  { jwks, key, insecure = false, cache = true }: KeySource,
  io: Io,
): KeyFinder {
  if (jwks !== undefined) {
    const issuer = String(readCompact(token).claims['iss']);
    return fixedKeys(new Map([[issuer, readKeySet(parseJsonText(readText(jwks, io), jwks))]]));
  }
  if (key !== undefined) {
    const { kid } = readCompact(token).header;
    const read = namedKeyFrom(key, { kid }, io);
    return {
      find: () => readKeySet({ keys: [writeJwk(read.key, read.kid, read.algorithm)] }).select(kid),
    };
  }
  const store = cache ? createKeyCache(keyCacheDirectory(io.environment)) : undefined;
  // A cache that cannot be written costs a request, not the result.
  return createIssuerKeys({ send: io.send, insecure, store });
}
