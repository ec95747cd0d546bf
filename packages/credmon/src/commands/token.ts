// `token`: one token by the rules of a provider, for an entry that is not configured.
import { isAbsolute, relative, resolve } from 'node:path';
import {
  CodedError,
  createSend,
  ERROR_CODES,
  messageOf,
  systemClock,
  systemCode,
  type ErrorCode,
} from '@credmon/core/base';
import { userName } from '@credmon/core/config';
import type { Subcommand } from '../command-line/command.ts';
import { openConfig } from '../command-line/open-config.ts';
import { localFiles } from '../host/local-files.ts';
import { readSecretFile, secretVersion } from '../host/secret-file.ts';
import { standingFiles } from '../host/standing-files.ts';
import { createProcessTrust, namedTrustOf } from '../host/tls-ca.ts';
import {
  auditText,
  isTemplate,
  issueOne,
  checkWish,
  type IssuedToken,
  type TokenWish,
} from '../issuance/issue.ts';
import type { StandingOwner } from '../providers/standing/ports.ts';
import { LONGEST_REQUEST, parseTokenResult, tokenRequestText } from '../requests/request.ts';
import { type Settings, settingsOf } from '../settings/read.ts';
import { tokenSourceIn, type TokenSource } from '../settings/token-source.ts';
import { askDaemon } from './ask-daemon.ts';
import { issuedEntry } from '../report/audit-report.ts';
import { openAudit, requester } from './audit.ts';
import type { Output } from './revoke.ts';

type TokenCommand = Subcommand & { kind: 'token' };

/** The user ids of the process that calls. */
export interface Caller {
  readonly uid: number;
  readonly euid: number;
}

/** The output of the command; `isTerminal`: standard output is shown to a person. */
export interface TokenOutput extends Output {
  readonly isTerminal: boolean;
  readonly caller: Caller;
}

/** Returns the user who calls. */
export function realCaller(): Caller {
  return { uid: process.getuid?.() ?? -1, euid: process.geteuid?.() ?? -1 };
}

/**
 * Issues one token, and writes it to a file or to standard output. Root's process issues
 * it itself; for others the daemon does, if they are members of CREDMON_TOKEN_GROUP. Exit
 * code 0.
 * @throws CodedError when no token was issued
 */
export async function runTokenCommand(
  command: TokenCommand,
  env: NodeJS.ProcessEnv,
  { stdout, stderr, isTerminal, caller }: TokenOutput,
): Promise<number> {
  const { output, print, json } = command;
  if (caller.uid !== caller.euid)
    throw new CodedError('USER_REFUSED', 'this program must not be installed setuid');
  const settings = settingsOf(openConfig(command, env), command, process.argv[1]);
  const prints = print || output === undefined;
  if (output === undefined && isTerminal && !print)
    throw new CodedError(
      'USAGE',
      'standard output is a terminal: name a file with --output, or use --print',
    );
  const path = output === undefined ? undefined : fileFor(output, settings);
  const owner = ownerOf(command);
  const source = tokenSourceIn(settings, command.provider);
  const wish = wishOf(command, caller, source);
  checkWish(wish);
  const to = path ?? 'standard output';
  const issued =
    caller.uid === 0
      ? await issueHere(wish, source, settings, { to, who: asker(env), stderr })
      : await issueByDaemon(wish, to, settings);
  if (issued.note !== undefined) stderr(`Note: ${issued.note}.`);
  if (path !== undefined) write(path, `${issued.token}\n`, owner);
  if (json) stdout(JSON.stringify(jsonOf(issued, path, prints), null, 2));
  else if (prints) stdout(issued.token);
  else stdout(`Wrote ${path ?? ''}, ${lifeOf(issued)}.`);
  return 0;
}

/**
 * A user who is not root gets tokens for the own name by default, where the rules are for
 * a user.
 */
function wishOf(command: TokenCommand, { uid }: Caller, source: TokenSource): TokenWish {
  const { provider, audience, scopes, lifetime } = command;
  const isForUser = source.kind === 'signed' || isTemplate(source.client.scopes);
  const words = (texts: readonly string[]): readonly string[] =>
    texts.flatMap((text) => text.split(/[\s,]+/)).filter(Boolean);
  const own = isForUser && uid !== 0 ? userName(uid) : undefined;
  const subject = command.subject ?? own;
  return { provider, subject, audience: words(audience), scopes: words(scopes), lifetime };
}

/** @throws CodedError `USAGE` */
function fileFor(output: string, { credDir }: Settings): string {
  const path = resolve(output);
  const below = relative(credDir, path);
  if (credDir !== '' && !isAbsolute(below) && !/^\.\.(?:\/|$)/.test(below))
    throw new CodedError(
      'USAGE',
      `${path} is in the credential directory, whose files belong to jobs; choose another directory`,
    );
  return path;
}

/** Where the token goes, and who asked, for the log. */
interface Purpose {
  readonly to: string;
  readonly who: string;
  readonly stderr: (text: string) => void;
}

/** Without a line in the log no token leaves this process. */
async function issueHere(
  wish: TokenWish,
  source: TokenSource,
  settings: Settings,
  { to, who, stderr }: Purpose,
): Promise<IssuedToken> {
  const trust = createProcessTrust(() => namedTrustOf(settings), stderr);
  const { send, close } = createSend({ ...settings.limits, trust: trust.general });
  const audit = await openAudit(settings.log, stderr);
  try {
    const issued = await issueOne(wish, source, settings, {
      local: localFiles(stderr),
      secretVersion,
      send,
      readSecret: readSecretFile,
      now: () => systemClock.now(),
    });
    if (audit.line(auditText(issued, to, who))) {
      audit.record(issuedEntry(issued, to, who));
      return issued;
    }
    throw new CodedError('LOG_UNWRITABLE', 'the token is discarded: it cannot be logged');
  } finally {
    await close();
    audit.close();
  }
}

/** Returns who asks; sudo sets SUDO_UID, and only root can set it otherwise. */
function asker(env: NodeJS.ProcessEnv): string {
  const uid = env['SUDO_UID'];
  const isSudo = uid !== undefined && /^\d+$/.test(uid);
  return isSudo ? `${requester()} (sudo by user id ${uid})` : requester();
}

/** Seconds to wait for the daemon. */
const TIMEOUT = 60;

/** The daemon knows by the owner of the request who asks. */
async function issueByDaemon(
  wish: TokenWish,
  to: string,
  { runDir, condorIds }: Settings,
): Promise<IssuedToken> {
  const text = tokenRequestText(wish, to);
  if (Buffer.byteLength(text) > LONGEST_REQUEST)
    throw new CodedError('USAGE', `the request is larger than ${LONGEST_REQUEST} bytes`);
  const unasked = (why: string): CodedError =>
    new CodedError('CRED_FILE_IO', `cannot ask for a token: ${why}`);
  const result = await askDaemon({
    runDir,
    condorIds,
    text,
    parse: parseTokenResult,
    timeout: TIMEOUT,
    unasked,
    step: 'only root issues tokens without it',
    late: (isTaken) =>
      `no result within ${TIMEOUT} s: ` +
      (isTaken
        ? 'see the log of the daemon'
        : 'the daemon did not take the request; ask again later, or see its log'),
  });
  if (result.kind === 'issued') return result.issued;
  const { code, message } = result;
  throw new CodedError(
    Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : 'USER_REFUSED',
    message,
  );
}

const MODE = 0o600;

/** @throws CodedError `USAGE` */
function ownerOf({ owner, output }: TokenCommand): StandingOwner | undefined {
  if (owner === undefined) return undefined;
  if (output === undefined) throw new CodedError('USAGE', '--owner needs --output');
  const found = standingFiles().owner(owner);
  if (found) return found;
  throw new CodedError('USAGE', `user ${owner} not found (or the name service is not available)`);
}

/** @throws CodedError `CRED_FILE_IO` */
function write(path: string, text: string, owner: StandingOwner | undefined): void {
  try {
    standingFiles().write(path, text, MODE, owner);
  } catch (error) {
    const what = systemCode(error) ?? messageOf(error);
    throw new CodedError('CRED_FILE_IO', `cannot write ${path}: ${what}`, { path }, error);
  }
}

function lifeOf({ issuedAt, expiresAt }: IssuedToken): string {
  const seconds = expiresAt - issuedAt;
  return Number.isFinite(seconds) ? `valid for ${seconds} s` : 'which does not expire';
}

function jsonOf(
  issued: IssuedToken,
  path: string | undefined,
  prints: boolean,
): Readonly<Record<string, unknown>> {
  const { token, provider, source, subject, audience, scopes, issuedAt, expiresAt, jti } = issued;
  return {
    provider,
    source,
    subject: subject ?? null,
    audience,
    scopes,
    issued_at: Math.floor(issuedAt),
    expires_at: Number.isFinite(expiresAt) ? Math.floor(expiresAt) : null,
    jti: jti ?? null,
    path: path ?? null,
    ...(prints ? { access_token: token } : {}),
  };
}
