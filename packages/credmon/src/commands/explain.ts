// `explain`: everything that decides the next step of one token, the next step first.
// Scans as the daemon does, changes nothing, and asks no issuer.
import type { Subcommand } from '../command-line/command.ts';
import { openConfig } from '../command-line/open-config.ts';
import { runningDaemon } from '../daemon/pid-and-complete.ts';
import { ownerOfToken, providerLookupOf } from '../daemon/provider-lookup.ts';
import { localFiles } from '../host/local-files.ts';
import { secretVersion } from '../host/secret-file.ts';
import type { Provider } from '../providers/common/provider.ts';
import { STANDING } from '../providers/standing/ports.ts';
import { type Settings, settingsOf } from '../settings/read.ts';
import {
  type Explanation,
  type FileFact,
  type ProviderFacts,
  type TokenFacts,
  explain,
} from '../status/explain.ts';
import { rowsAt } from '../status/status-file.ts';
import { nameOf, needsAttention, statusRow } from '../status/rows.ts';
import { openStore } from './read-directory.ts';
import { type UserDirectories, isClosedToUs, readDirectories, seeDaemon } from './ask-daemon.ts';
import type { Output } from './revoke.ts';
import { closed, readStatus, userOf } from './status.ts';
import {
  CodedError,
  durationText,
  isCoded,
  nearest,
  systemClock,
  systemRandom,
  tableText,
  utcText,
} from '@credmon/core/base';
import {
  type Instant,
  type TokenSnapshot,
  cutDomain,
  instantOf,
  splitStem,
  stemOf,
  tokenId,
} from '@credmon/core/credential';
import { policyOf } from '@credmon/core/profiles';
import { judge } from '@credmon/core/renewal';

type ExplainCommand = Subcommand & { kind: 'explain' };

/**
 * Prints the explanation of one token. Returns the exit code: 0, or 1 when the token
 * needs attention.
 * @throws CodedError when there is no such token, or it cannot be read
 */
export async function runExplainCommand(
  command: ExplainCommand,
  env: NodeJS.ProcessEnv,
  { stdout }: Pick<Output, 'stdout'>,
): Promise<number> {
  const config = openConfig(command, env);
  const facts = isClosedToUs(config, command)
    ? publishedFacts(command, readDirectories(config, command))
    : await ownFacts(command, settingsOf(config, command, process.argv[1]), instantOf(systemClock));
  const explanation: Explanation = explain(facts);
  stdout(command.json ? JSON.stringify(explanation, null, 2) : explanationText(explanation));
  return needsAttention(explanation) ? 1 : 0;
}

const wantedStem = ({ service, handle }: ExplainCommand): string => stemOf(service, handle ?? '');

/** Returns the facts for a user to whom the credential directory is closed. */
export function publishedFacts(
  command: ExplainCommand,
  { credDir, runDir }: Pick<UserDirectories, 'credDir' | 'runDir'>,
): TokenFacts {
  if (runDir === undefined)
    throw closed(credDir, 'there is no view for users (CREDMON_RUN_DIR = none)');
  const user = userOf(command);
  const { heartbeat, whyNot, whyNotForUs } = seeDaemon(runDir);
  const status = readStatus(runDir, user);
  if (!status) throw closed(credDir, whyNotForUs ?? whyNot ?? `there is no token of ${user}`);
  const now = instantOf(systemClock);
  const rows = rowsAt(status.tokens, now.wall);
  const row = rows.find((one) => nameOf(one) === wantedStem(command));
  if (!row) throw missing(user, command, rows.map(nameOf), status.directory);
  return {
    row,
    now,
    daemon: whyNot ?? heartbeat?.daemon ?? 'condor_credmon is not running',
    token: null,
    managed: null,
    provider: row.provider === null ? null : { kind: row.provider, profile: null, issuer: null },
    queue: null,
    published: { row, writtenAt: status.written_at },
  };
}

async function ownFacts(
  command: ExplainCommand,
  settings: Settings,
  now: Instant,
): Promise<TokenFacts> {
  const user = command.user === STANDING ? STANDING : cutDomain(command.user);
  const { tokens } = await openStore(settings).scan(now);
  const ofUser = tokens.filter((token) => token.user === user);
  const token = ofUser.find(({ stem }) => stem === wantedStem(command));
  if (!token)
    throw missing(
      user,
      command,
      ofUser.map(({ stem }) => stem),
      settings.credDir,
    );
  const ports = { secretVersion, random: systemRandom, local: localFiles(() => undefined) };
  const lookup = providerLookupOf(settings, ports);
  const owned = lookup.manage(token);
  const owner = ownerOfToken(token, settings);
  const managed = owned?.managed ?? null;
  const shown = managed?.snapshot ?? token;
  return {
    row: statusRow(
      shown,
      managed ? judge(managed, now) : undefined,
      now,
      owner.kind === 'nobody' ? owner.why : undefined,
    ),
    now,
    daemon: runningDaemon(settings.credDir) ?? 'condor_credmon is not running',
    token: shown,
    managed,
    provider: owned ? providerFacts(token, owned.provider, settings) : null,
    queue: owned ? queueFacts(owned, tokens, { lookup, now, cap: settings.perIssuer }) : null,
    published: publishedBy(settings, user, token.stem),
  };
}

type Lookup = ReturnType<typeof providerLookupOf>;
type Owned = NonNullable<ReturnType<Lookup['manage']>>;

/** The tokens that are due at the issuer of a token; those that are signed here have none. */
function queueFacts(
  { provider, managed }: Owned,
  tokens: readonly TokenSnapshot[],
  { lookup, now, cap }: { readonly lookup: Lookup; readonly now: Instant; readonly cap: number },
): TokenFacts['queue'] {
  if (provider.isLocal === true) return null;
  const issuer = provider.issuerOf(managed.snapshot);
  const due = tokens.flatMap((token) => {
    const other = lookup.manage(token);
    if (!other || other.provider.isLocal === true) return [];
    const { snapshot } = other.managed;
    const waits =
      other.provider.issuerOf(snapshot) === issuer && judge(other.managed, now).state === 'due';
    return waits ? [snapshot] : [];
  });
  return { due, cap };
}

/** The kinds of provider that have a profile of an issuer. */
const WITH_PROFILE = new Set(['oauth', 'client', 'exchange', 'pelican', 'vault']);

function providerFacts(
  token: TokenSnapshot,
  provider: Provider,
  { policies, lists }: Settings,
): TokenFacts['provider'] {
  const service = splitStem(token.stem, lists.specialNames)?.service ?? token.stem;
  const issuer = provider.isLocal === true ? '' : provider.issuerOf(token);
  return {
    kind: provider.name,
    profile: WITH_PROFILE.has(provider.name) ? policyOf(policies, service).profile : null,
    issuer: issuer === '' ? null : issuer,
  };
}

/** The daemon's view is an addition: without it, the files still say much. */
function publishedBy(
  { runDir }: Pick<Settings, 'runDir'>,
  user: string,
  stem: string,
): TokenFacts['published'] {
  if (runDir === undefined) return null;
  try {
    const status = readStatus(runDir, user);
    const row = status?.tokens.find((one) => nameOf(one) === stem);
    return status && row ? { row, writtenAt: status.written_at } : null;
  } catch (error) {
    if (!isCoded(error)) throw error;
    return null;
  }
}

function missing(
  user: string,
  command: ExplainCommand,
  stems: readonly string[],
  directory: string,
): CodedError {
  const stem = wantedStem(command);
  const near = nearest(stem, stems);
  const known =
    near !== undefined
      ? `; did you mean ${near}?`
      : stems.length === 0
        ? ''
        : `; tokens of ${user}: ${stems.join(', ')}`;
  return new CodedError('CRED_FILE_IO', `no token ${user}/${stem} in ${directory}${known}`, {
    user,
  });
}

/** Returns the explanation as text, at its own `checked_at`. */
export function explanationText(explanation: Explanation): string {
  const { user, files } = explanation;
  const shown = [...stateLines(explanation), ...failureLines(explanation)].flatMap(
    ([name, text]) => (text === null ? [] : [[`  ${name}`, text]]),
  );
  return [
    tokenId({ user, stem: nameOf(explanation) }),
    tableText(shown),
    ...(files ? ['  Files', tableText(files.map(fileCells))] : []),
  ].join('\n');
}

/** A heading, and what is known; `null` hides the line. */
type Line = readonly [string, string | null];

function stateLines(explanation: Explanation): Line[] {
  const { provider, service, state, expired, issued_at: issued, daemon, due } = explanation;
  const { next_step: step, expires_at: expires, checked_at: now } = explanation;
  return [
    ['Next step', step],
    ['Who acts', actorText(explanation)],
    ['State', expired ? `${state}, EXPIRED` : state],
    ['Provider', provider && providerText(service, provider)],
    ['Issued', issued === null ? null : timeText(issued, now)],
    ['Expires', expires === null ? (issued === null ? null : 'never') : timeText(expires, now)],
    ['Due', due && `${due.at === null ? '' : `${timeText(due.at, now)}: `}${due.reason}`],
    ['Queue', queueText(explanation)],
    ['Daemon', daemon === null ? 'not running' : `process ${daemon}`],
  ];
}

function failureLines(explanation: Explanation): Line[] {
  const { backoff, circuit_breaker: breaker, last_error: error } = explanation;
  const { ignored_error: ignored, checked_at: now } = explanation;
  const until = (time: number | null): string =>
    time === null ? '' : ` until ${timeText(time, now)}`;
  return [
    [
      'Backoff',
      backoff &&
        `${backoff.attempts} failed in a row, the last ${timeText(backoff.last_attempt, now)}; ` +
          `no attempt${until(backoff.until) || ` before ${backoff.ends_with}`}`,
    ],
    [
      'Circuit breaker',
      breaker && `open${until(breaker.until)}; published ${timeText(breaker.written_at, now)}`,
    ],
    ['Last error', error && `${error.code}: ${error.message}`],
    ['Remedy', error?.remedy ?? null],
    ['Old error', ignored && `${ignored} (ignored: its files or its client have changed since)`],
  ];
}

function queueText({ queue, provider, circuit_breaker: breaker }: Explanation): string | null {
  if (queue === null) return null;
  const { due, before, cap } = queue;
  const others = before === 0 ? 'no token is' : `${before} of ${due} due tokens are`;
  const at = provider?.issuer ?? 'its issuer';
  const health = breaker === null ? '' : '; one at a time while the circuit breaker is open';
  return `${others} before it at ${at}, where ${cap} are renewed at a time${health}`;
}

const timeText = (time: number, now: number): string =>
  `${utcText(time)} (${time > now ? `in ${durationText(time - now)}` : `${durationText(now - time)} ago`})`;

const providerText = (service: string, { kind, profile, issuer }: ProviderFacts): string =>
  [
    `${service} (${kind})`,
    ...(profile === null ? [] : [`profile ${profile}`]),
    ...(issuer === null ? [] : [`asks ${issuer}`]),
  ].join(', ');

const fileCells = ({ name, state, note, modified }: FileFact): string[] => [
  `    ${name}`,
  state,
  [
    ...(modified === null ? [] : [`modified ${utcText(modified)}`]),
    ...(note === null ? [] : [note]),
  ].join(', '),
];

function actorText({ actor, user }: Explanation): string {
  if (actor === 'nobody') return 'nobody has to act';
  return actor === 'user' ? `the user ${user}` : 'the administrator';
}
