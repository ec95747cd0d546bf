// `token`: one token by the rules of a provider, for an entry that is not configured.
import { isAbsolute, relative, resolve } from 'node:path';
import {
  CodedError,
  createSend,
  messageOf,
  systemClock,
  systemCode,
  systemRandom,
} from '@credmon/core/base';
import { groupId, userName } from '@credmon/core/config';
import type { Subcommand } from '../command-line/command.ts';
import { openConfig } from '../command-line/open-config.ts';
import { localFiles } from '../host/local-files.ts';
import { readSecretFile, secretVersion } from '../host/secret-file.ts';
import { standingFiles } from '../host/standing-files.ts';
import { createProcessTrust, namedTrustOf } from '../host/tls-ca.ts';
import { fetchOne, isTemplate } from '../issuance/fetch.ts';
import { checkWish, type IssuedToken, type TokenWish } from '../issuance/request.ts';
import { signOne } from '../issuance/sign.ts';
import type { StandingOwner } from '../providers/standing/ports.ts';
import type { Settings } from '../settings/read.ts';
import { tokenGroup, tokenSource, type TokenSource } from '../settings/token-source.ts';
import { settingsOf } from '../status/tokens.ts';
import { openAudit, requester } from './revoke-context.ts';
import type { Output } from './revoke.ts';

type TokenCommand = Subcommand & { kind: 'token' };

/** The user who calls: the real user id, and the groups of the process. */
export interface Caller {
  readonly uid: number;
  readonly groups: readonly number[];
}

/** The output of the command; `isTerminal`: standard output is shown to a person. */
export interface TokenOutput extends Output {
  readonly isTerminal: boolean;
  readonly caller: Caller;
}

/** Returns the user who calls. */
export function realCaller(): Caller {
  const groups = [...(process.getgroups?.() ?? []), process.getgid?.() ?? -1];
  return { uid: process.getuid?.() ?? -1, groups };
}

/**
 * Issues one token, and writes it to a file or to standard output. Exit code 0.
 * @throws CodedError when no token was issued
 */
export async function runTokenCommand(
  command: TokenCommand,
  env: NodeJS.ProcessEnv,
  { stdout, stderr, isTerminal, caller }: TokenOutput,
): Promise<number> {
  const { output, print, json } = command;
  const config = openConfig(command, env);
  requireRight(caller, tokenGroup(config));
  const settings = settingsOf(config, command);
  const prints = print || output === undefined;
  if (output === undefined && isTerminal && !print)
    throw new CodedError(
      'USAGE',
      'standard output is a terminal: name a file with --output, or use --print',
    );
  const path = output === undefined ? undefined : fileFor(output, settings);
  const owner = ownerOf(command);
  const source = tokenSource(config, settings, command.provider);
  const wish = wishOf(command, caller, source);
  checkWish(wish);
  const audit = await openAudit(settings.log, stderr);
  const issued = await issue(wish, source, settings, stderr);
  // Without a line in the log no token leaves this process.
  if (!audit(auditText(issued, path ?? 'standard output', asker(env))))
    throw new CodedError('LOG_UNWRITABLE', 'the token is discarded: it cannot be logged');
  if (issued.note !== undefined) stderr(`Note: ${issued.note}.`);
  if (path !== undefined) write(path, `${issued.token}\n`, owner);
  if (json) stdout(JSON.stringify(jsonOf(issued, path, prints), null, 2));
  else if (prints) stdout(issued.token);
  else stdout(`Wrote ${path ?? ''}, valid for ${issued.expiresAt - issued.issuedAt} s.`);
  return 0;
}

/** @throws CodedError `USER_REFUSED` */
function requireRight({ uid, groups }: Caller, group: string | undefined): void {
  if (uid === 0) return;
  if (group === undefined)
    throw new CodedError(
      'USER_REFUSED',
      'only root may issue a token; CREDMON_TOKEN_GROUP allows it to the members of a group',
    );
  const gid = groupId(group);
  if (gid !== undefined && groups.includes(gid)) return;
  const missing = gid === undefined ? ' (there is no such group)' : '';
  throw new CodedError(
    'USER_REFUSED',
    `only root and the members of the group ${group}${missing} may issue a token`,
  );
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

async function issue(
  wish: TokenWish,
  source: TokenSource,
  settings: Settings,
  stderr: (text: string) => void,
): Promise<IssuedToken> {
  const { local, lists, allowLoopbackHttp, endpointOrigins, limits, policy } = settings;
  const { further } = source;
  const now = systemClock.now();
  if (source.kind === 'signed') {
    const { issuer } = source;
    return signOne(wish, { local, issuer, further, ports: localFiles(stderr), now });
  }
  const { client } = source;
  const trust = createProcessTrust(() => namedTrustOf(settings), stderr);
  const { send, close } = createSend({ ...limits, trust: trust.general });
  const nothing = { ok: false, reason: 'is missing' } as const;
  try {
    return await fetchOne(wish, {
      client,
      further,
      options: {
        clients: [client],
        secretVersion,
        random: systemRandom,
        specialNames: lists.specialNames,
        allowLoopbackHttp,
        endpointOrigins,
        defaultLifetime: policy.defaultLifetime,
      },
      context: {
        send,
        now,
        readSecret: readSecretFile,
        readToken: () => ({ top: nothing, topIdentity: undefined, meta: nothing }),
      },
    });
  } finally {
    await close();
  }
}

/** Returns who asks; sudo sets SUDO_UID, and only root can set it otherwise. */
function asker(env: NodeJS.ProcessEnv): string {
  const uid = env['SUDO_UID'];
  const isSudo = process.getuid?.() === 0 && uid !== undefined && /^\d+$/.test(uid);
  return isSudo ? `${requester()} (sudo by user id ${uid})` : requester();
}

function auditText(issued: IssuedToken, to: string, who: string): string {
  const { provider, source, subject, audience, scopes, issuedAt, expiresAt, jti } = issued;
  return (
    `${source} a token of ${provider} as ${who} asked: subject ${subject ?? 'unknown'}, ` +
    `audience ${audience.join(' ') || 'none'}, scopes "${scopes.join(' ')}", ` +
    `lifetime ${expiresAt - issuedAt} s, jti ${jti ?? 'none'}; to ${to}`
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
    expires_at: Math.floor(expiresAt),
    jti: jti ?? null,
    path: path ?? null,
    ...(prints ? { access_token: token } : {}),
  };
}
