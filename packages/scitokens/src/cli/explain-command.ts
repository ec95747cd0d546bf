// The command `token explain`: reads the files, checks the signature, prints the steps.
import { dirname, isAbsolute, join } from 'node:path';
import { isCoded, messageOf, printableLine, tableText } from '@credmon/core/base';
import { parseMapFile, type IncludedMap } from '@credmon/core/classad';
import { explainMap } from '../explain/name-mapfile.ts';
import type { Explanation, SignatureCheck, Step } from '../explain/token-steps.ts';
import { readXrootdConfig } from '../explain/xrootd-config.ts';
import { OPERATIONS } from '../explain/xrootd-rules.ts';
import { explainXrootd } from '../explain/xrootd.ts';
import { DEFAULT_ALGORITHMS } from '../token/algorithms.ts';
import { readCompact, type CompactToken } from '../token/compact.ts';
import { checkSignature } from '../verify/verify.ts';
import { type Io, misuse } from './io.ts';
import { keysFor, type KeySource } from './token-commands.ts';
import { readTokenArgument } from './token-source.ts';

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
  io.out(options.json ? `${JSON.stringify(explanation)}\n` : textOf(explanation));
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

function textOf({ steps, verdict }: Explanation): string {
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
