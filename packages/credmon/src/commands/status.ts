// The status command: scans as the daemon does, changes nothing, and prints. A user who
// may not scan sees what the daemon wrote for this user.
import type { Subcommand } from '../command-line/command.ts';
import { openConfig } from '../command-line/open-config.ts';
import { runningDaemon } from '../daemon/pid-and-complete.ts';
import { heartbeatPath, statusPath } from '../host/run-directory.ts';
import { type Settings, settingsOf } from '../settings/read.ts';
import {
  needsAttention,
  statusTable,
  type StatusRow,
  isEverything,
  selectRows,
} from '../status/rows.ts';
import { type Heartbeat, type UserStatus, parseUserStatus, rowsAt } from '../status/status-file.ts';
import { attentionTexts, unownedTexts } from '../status/summary.ts';
import { evaluateTokens, openStore } from './read-directory.ts';
import { type UserDirectories, isClosedToUs, readDirectories, seeDaemon } from './ask-daemon.ts';
import { CodedError, durationText, systemClock, utcText } from '@credmon/core/base';
import { userName } from '@credmon/core/config';
import { cutDomain, instantOf, isCredName } from '@credmon/core/credential';
import { type CredentialStore, readCredentialFile } from '@credmon/core/store';

/**
 * Prints the status, with `watch` again and again. Returns the exit code: 0, or 1 when a
 * token that is shown needs attention.
 * @throws CodedError when the status cannot be read
 */
export async function runStatusCommand(
  command: StatusCommand,
  env: NodeJS.ProcessEnv,
  output: StatusOutput,
): Promise<number> {
  const look = lookFor(command, env);
  let view: View | CodedError = await look();
  if (command.watch === undefined) return show(command, view, output);
  for (;;) {
    output.clear?.();
    if (view instanceof CodedError) {
      if (!command.json) output.stdout(watchTitle(systemClock.now(), command.watch));
      output.stderr(view.message);
    } else show(command, view, output);
    await systemClock.wait(command.watch);
    view = await look().catch(problemOf);
  }
}

const watchTitle = (now: number, watch: number): string => `${utcText(now)}, every ${watch} s`;

/** What ends a single look may be over at the next one: a user's last token is gone. */
function problemOf(error: unknown): CodedError {
  if (error instanceof CodedError) return error;
  throw error;
}

/** Returns what reads the status: as the daemon does, or what it wrote for this user. */
function lookFor(command: StatusCommand, env: NodeJS.ProcessEnv): () => Promise<View> {
  const config = openConfig(command, env);
  if (isClosedToUs(config, command)) {
    const directories = readDirectories(config, command);
    return async () => ownView(command, directories);
  }
  const settings = settingsOf(config, command, process.argv[1]);
  const store = openStore(settings);
  return () => fullView(command, settings, store);
}

/** What one look has found. `facts`: what JSON has beside the rows. */
interface View {
  readonly rows: readonly StatusRow[];
  readonly now: number;
  readonly facts: object;
  /** What a person should know before and after what the rows say. */
  readonly problems: readonly string[];
  readonly notes: readonly string[];
}

async function fullView(
  command: StatusCommand,
  settings: Settings,
  store: CredentialStore,
): Promise<View> {
  const now = instantOf(systemClock);
  const only = command.user === undefined ? {} : { only: command.user };
  const { tokens, problems } = await store.scan(now, only);
  const wanted = tokens.filter(
    (token) => command.user === undefined || token.user === command.user,
  );
  if (command.user !== undefined && wanted.length === 0) {
    throw new CodedError('CRED_FILE_IO', `no token of ${command.user} in ${settings.credDir}`, {
      user: command.user,
    });
  }
  const daemon = runningDaemon(settings.credDir) ?? null;
  return {
    rows: evaluateTokens(wanted, settings, now).map(({ row }) => row),
    now: now.wall,
    facts: { directory: settings.credDir, daemon },
    problems,
    notes: daemon === null ? ['No condor_credmon is running here: nothing is renewed.'] : [],
  };
}

/** Prints what was found. Returns the exit code. */
function show(command: StatusCommand, view: View, { stdout, stderr, width }: StatusOutput): number {
  const { now, facts, problems, notes } = view;
  const rows = selectRows(view.rows, command.selection, now);
  if (command.json) {
    const value = { ...facts, tokens: rows };
    stdout(command.watch === undefined ? JSON.stringify(value, null, 2) : JSON.stringify(value));
  } else {
    if (command.watch !== undefined) stdout(watchTitle(now, command.watch));
    const isAll = isEverything(command.selection);
    const none = isAll || view.rows.length === 0 ? 'No tokens.' : 'No tokens match.';
    stdout(rows.length === 0 ? none : statusTable(rows, now, width));
    const texts = [...problems, ...attentionTexts(rows), ...unownedTexts(rows), ...notes];
    for (const text of texts) stderr(text);
  }
  return rows.some(needsAttention) ? 1 : 0;
}

type StatusCommand = Subcommand & { kind: 'status' };

/** In bytes: some 100,000 tokens of one user. */
const LONGEST_STATUS = 64 * 1024 * 1024;

/**
 * The output of the status: the table or JSON on standard output, problems on standard
 * error; `width` is a terminal's columns, and `clear` empties a terminal before the next
 * look.
 */
export interface StatusOutput {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly width: number | undefined;
  readonly clear?: (() => void) | undefined;
}

/**
 * Prints the user's own tokens. Returns the exit code: 0, or 1 when a token needs
 * attention.
 * @throws CodedError when there is nothing that this user may read
 */
export function runOwnStatus(
  command: StatusCommand,
  directories: Pick<UserDirectories, 'credDir' | 'runDir'>,
  output: StatusOutput,
): number {
  return show(command, ownView(command, directories), output);
}

function ownView(
  command: StatusCommand,
  { credDir, runDir }: Pick<UserDirectories, 'credDir' | 'runDir'>,
): View {
  if (runDir === undefined)
    throw closed(credDir, 'there is no view for users (CREDMON_RUN_DIR = none)');
  const user = userOf(command);
  const { heartbeat, unreadable, whyNot, whyNotForUs } = seeDaemon(runDir);
  if (unreadable !== undefined) throw closed(credDir, unreadable);
  const status = readStatus(runDir, user);
  if (!status && whyNotForUs !== undefined) throw closed(credDir, whyNotForUs);
  if (!status && !heartbeat) throw closed(credDir, `${whyNot ?? ''} (no ${heartbeatPath(runDir)})`);
  const now = systemClock.now();
  const rows = rowsAt(status?.tokens ?? [], now);
  const directory = status?.directory ?? heartbeat?.directory ?? credDir;
  if (command.user !== undefined && rows.length === 0)
    throw new CodedError('CRED_FILE_IO', `no token of ${user} in ${directory}`, { user });
  return {
    rows,
    now,
    facts: {
      directory,
      daemon: whyNot === undefined ? (heartbeat?.daemon ?? null) : null,
      written_at: status?.written_at ?? null,
      checked_at: heartbeat?.checked_at ?? null,
    },
    problems: [],
    notes: whyNot === undefined ? [] : [staleText(whyNot, heartbeat ?? status, now)],
  };
}

/** Returns the user whose tokens are asked for. @throws CodedError `USAGE` */
export function userOf({ user: wanted }: { readonly user: string | undefined }): string {
  const uid = process.geteuid?.() ?? -1;
  const user = wanted === undefined ? userName(uid) : cutDomain(wanted);
  if (user === undefined)
    throw new CodedError('USAGE', `user id ${uid} has no account here; use --user NAME`);
  if (isCredName(user)) return user;
  throw new CodedError(
    'USAGE',
    `${JSON.stringify(user)} is not a valid user name of a credential directory`,
  );
}

/**
 * Returns what the daemon last published about a user's tokens, if it did.
 * @throws CodedError `CRED_FILE_IO` when the file cannot be read
 */
export function readStatus(runDir: string, user: string): UserStatus | undefined {
  const path = statusPath(runDir, user);
  const reading = readCredentialFile(path, LONGEST_STATUS);
  if (reading.kind === 'missing') return undefined;
  if (reading.kind === 'broken')
    throw new CodedError(
      'CRED_FILE_IO',
      `the tokens of ${user} cannot be shown: ${path} ${reading.reason}; only ${user} and root may read it`,
      { path },
    );
  const status = parseUserStatus(reading.text);
  if (status) return status;
  throw new CodedError(
    'CRED_FILE_IO',
    `the tokens of ${user} cannot be shown: ${path} is invalid; ` +
      'the daemon replaces it when a token changes or condor_credmon is restarted',
    { path },
  );
}

function staleText(whyNot: string, known: Heartbeat | UserStatus | undefined, now: number): string {
  const at = known && ('checked_at' in known ? known.checked_at : known.written_at);
  const age = at === undefined ? '' : ` This is the state of ${durationText(now - at)} ago.`;
  return `Nothing is renewed: ${whyNot}.${age} Ask the administrator.`;
}

/** Returns the error for a user who may see nothing. */
export function closed(credDir: string, why: string): CodedError {
  return new CodedError(
    'CRED_FILE_IO',
    `cannot show your tokens: the credential directory ${credDir} is closed to you, and ${why}; ask the administrator`,
    { path: credDir },
  );
}
