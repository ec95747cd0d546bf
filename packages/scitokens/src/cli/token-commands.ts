// The token commands: create, verify, acls, explain.
import { dirname, isAbsolute, join } from 'node:path';
import {
  CodedError,
  durationText,
  isCoded,
  messageOf,
  printableLine,
  tableText,
} from '@credmon/core/base';
import { parseMapFile, type IncludedMap } from '@credmon/core/classad';
import { explainMap } from '../explain/name-mapfile.ts';
import type { Explanation, SignatureCheck, Step } from '../explain/token-steps.ts';
import { readXrootdConfig } from '../explain/xrootd-config.ts';
import { OPERATIONS } from '../explain/xrootd-rules.ts';
import { explainXrootd } from '../explain/xrootd.ts';
import { DEFAULT_ALGORITHMS } from '../token/algorithms.ts';
import { PROFILES, type Profile } from '../token/claims.ts';
import { readCompact, type CompactToken, type JsonObject } from '../token/compact.ts';
import { issueToken } from '../token/sign.ts';
import { enforce, type Enforcer } from '../verify/enforce.ts';
import { checkSignature, verify, type VerifiedToken } from '../verify/verify.ts';
import { type Io, misuse, localTime } from './io.ts';
import { algorithmNamed } from './key-commands.ts';
import {
  keysFor,
  parseJsonText,
  readTokenArgument,
  signingKeyFrom,
  type KeyOptions,
  type KeySource,
} from './token-source.ts';

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
    ...pairs(options.claimJson ?? [], (text) => parseJsonText(text, 'the value of --claim-json')),
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
        { ...denied },
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

// `token explain`: reads the files, checks the signature, prints the steps.

/** Options of `token explain`. */
export interface ExplainArguments extends KeySource {
  readonly scitokensCfg?: string | undefined;
  readonly mapfile?: string | undefined;
  readonly assumeHashKeys?: boolean | undefined;
  readonly path?: string | undefined;
  readonly op?: string | undefined;
  readonly audience?: readonly string[] | undefined;
  readonly json?: boolean | undefined;
}

/**
 * Explains which rule of an XRootD configuration or of a map file accepts or refuses a
 * token. Prints a line for each step, and the decision last.
 * @returns the exit code: 0 accepted, 1 refused
 */
export async function tokenExplain(
  argument: string | undefined,
  options: ExplainArguments,
  io: Io,
): Promise<number> {
  checkUsage(options);
  const text = readTokenArgument(argument, io);
  const token = readCompact(text);
  const explanation =
    options.scitokensCfg === undefined
      ? await explainByMap(text, token, options.mapfile ?? '', options, io)
      : await explainByXrootd(text, token, options.scitokensCfg, options, io);
  io.out(options.json ? `${JSON.stringify(explanation)}\n` : explanationText(explanation));
  return explanation.accepted ? 0 : 1;
}

function checkUsage({ scitokensCfg, mapfile, path, op }: ExplainArguments): void {
  if ((scitokensCfg === undefined) === (mapfile === undefined))
    throw misuse('exactly one of --scitokens-cfg FILE and --mapfile FILE is required');
  if (mapfile !== undefined) {
    if (path !== undefined) throw misuse('--path is only for --scitokens-cfg');
    if (op !== undefined && !/^[A-Z_]+$/.test(op))
      throw misuse(`invalid --op ${op}: must be an authorization such as READ or WRITE`);
    return;
  }
  if ((path === undefined) !== (op === undefined))
    throw misuse('--path and --op are only allowed together');
  if (op !== undefined && !Object.hasOwn(OPERATIONS, op))
    throw misuse(`invalid --op ${op}: must be one of ${Object.keys(OPERATIONS).join(', ')}`);
}

async function explainByXrootd(
  text: string,
  token: CompactToken,
  file: string,
  options: ExplainArguments,
  io: Io,
): Promise<Explanation> {
  const readMap = (path: string): string | undefined => {
    try {
      return io.readIfThere(path, false);
    } catch (error) {
      if (isCoded(error)) return undefined;
      throw error;
    }
  };
  const config = readXrootdConfig(io.readFile(file), file, readMap);
  const { path, op: operation, audience } = options;
  const isConfigured = config.issuers.some(({ issuer }) => issuer.value === token.claims['iss']);
  const signature: SignatureCheck =
    isConfigured || options.jwks !== undefined || options.key !== undefined
      ? await signatureOf(text, token, options, io)
      : { state: 'not checked', reason: 'the issuer is not configured' };
  const request = path === undefined || operation === undefined ? undefined : { path, operation };
  return explainXrootd({ token, signature, now: io.now(), config, request, audience });
}

async function explainByMap(
  text: string,
  token: CompactToken,
  file: string,
  options: ExplainArguments,
  io: Io,
): Promise<Explanation> {
  const { assumeHashKeys = true, audience, op: operation } = options;
  const map = parseMapFile(io.readFile(file), {
    everyPrincipalIsRegexp: !assumeHashKeys,
    include: (path) => included(isAbsolute(path) ? path : join(dirname(file), path), file, io),
  });
  const signature = await signatureOf(text, token, options, io);
  return explainMap({ token, signature, now: io.now(), map, file, audience, operation });
}

/** Names that HTCondor leaves out of a directory by default. */
const LEFT_OUT = /^\.|~$|^#|\.rpm(?:save|new)$/;

/** The files of `@include`: one, or those of a directory in the order of their names. */
function included(path: string, from: string, io: Io): IncludedMap[] {
  const names = namesIn(path, io);
  if (names === undefined) return [{ file: path, text: io.readFile(path) }];
  if (!io.exists(path)) io.error(`note: ${from} includes ${path}, which does not exist\n`);
  return names
    .filter((name) => !LEFT_OUT.test(name))
    .sort()
    .map((name) => ({ file: join(path, name), text: io.readFile(join(path, name)) }));
}

/** Returns the names in a directory, `undefined` if it is none. */
function namesIn(path: string, io: Io): string[] | undefined {
  try {
    return [...io.listDirectory(path)];
  } catch {
    return undefined;
  }
}

async function signatureOf(
  text: string,
  token: CompactToken,
  options: ExplainArguments,
  io: Io,
): Promise<SignatureCheck> {
  const { alg, kid } = token.header;
  if (!DEFAULT_ALGORITHMS.some((name) => name === alg))
    return { state: 'invalid', reason: `the algorithm ${alg} is not accepted` };
  try {
    const issuer = String(token.claims['iss']);
    const key = await keysFor(text, options, io).find(issuer, kid, io.now());
    checkSignature(token, key);
    return { state: 'valid', algorithm: alg };
  } catch (error) {
    if (!isCoded(error)) throw error;
    // Other errors are those of fetching: the keys are not at hand.
    if (error.code.startsWith('TOKEN_')) return { state: 'invalid', reason: messageOf(error) };
    const more = error.code === 'ENDPOINT_REFUSED' ? ', or allow http with --insecure' : '';
    const reason = `${messageOf(error)}; fix: name the issuer's keys with --jwks FILE${more}`;
    return { state: 'not checked', reason };
  }
}

function explanationText({ steps, verdict }: Explanation): string {
  const rows = steps.map(({ step, state, text, place }): string[] => {
    const where = place === undefined ? '' : ` (${place.file}:${place.line})`;
    return [step, LABELS[state], printableLine(text + where)];
  });
  return `${tableText(rows)}\n${printableLine(verdict)}\n`;
}

const LABELS: Readonly<Record<Step['state'], string>> = {
  ok: 'ok',
  refused: 'REFUSED',
  note: 'note',
};
