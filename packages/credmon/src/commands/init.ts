// `init`: asks for the first login provider, or takes flags; writes its configuration and
// its secret file, and runs `check`.
import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Subcommand } from '../command-line/command.ts';
import { openConfig } from '../command-line/open-config.ts';
import type { Questions } from '../host/questions.ts';
import {
  type AnswerName,
  type Answers,
  baseLines,
  firstConfiguration,
  needsIssuer,
  redirectUri,
  whyInvalid,
} from '../migrate/first-configuration.ts';
import { runCheckCommand } from './check.ts';
import type { Output } from './revoke.ts';
import {
  CodedError,
  commitNew,
  shellWord,
  stageFile,
  systemCode,
  writeFileAtomically,
} from '@credmon/core/base';
import { type Config, knobDefault } from '@credmon/core/config';
import { PROFILE_NAMES, isProfileName, suggestProfile } from '@credmon/core/profiles';

type InitCommand = Subcommand & { kind: 'init' };

/** The output, and the person at the terminal, if there is one. */
export interface InitOutput extends Output {
  readonly person?: Questions | undefined;
  /** The path of this program, for CREDMON_OAUTH. */
  readonly program: string;
}

/** Where HTCondor's packages read the files of an administrator. */
const DEFAULT_FILE = '/etc/condor/config.d/60-credmon.conf';
const SECRETS = '/etc/condor/.secrets';
/** The path of `npm run install-to -- /usr/local`. */
const DEFAULT_PROGRAM = '/usr/local/bin/condor_credmon';

/**
 * Writes the configuration and runs `check`. Returns the exit code of `check`.
 * @throws CodedError `USAGE` for a missing or invalid answer, and for a file that exists;
 * `CONFIG_READ` when a file cannot be written
 */
export async function runInitCommand(
  command: InitCommand,
  env: NodeJS.ProcessEnv,
  { stdout, stderr, person, program }: InitOutput,
): Promise<number> {
  const before = oldConfig(command, env);
  const output = command.output ?? join(localDirectory(before), basename(DEFAULT_FILE));
  const old = readOld(output);
  if (old !== undefined && !command.force)
    throw new CodedError(
      'USAGE',
      `${output} exists; fix: --output FILE for another provider, or --force to replace it`,
      { path: output },
    );
  const answers = await answersOf(command, before, person, stderr);
  // A file that is replaced keeps the lines that the Access Point needs once. The packages'
  // example, in which all lines are comments, does not have them yet.
  const withBase =
    before?.get('SEC_CREDENTIAL_DIRECTORY_OAUTH') === undefined ||
    (old !== undefined && /^\s*use\s+feature\s*:/im.test(old));
  const path = basename(program).startsWith('condor_credmon') ? program : DEFAULT_PROGRAM;
  const isNewPrefix = answers.prefix !== prefixOf(before);
  const base = isNewPrefix ? [`CREDMON_WEB_PREFIX = ${answers.prefix}`, ''] : [];
  const kept = withBase ? olderDirectory(before, old) : undefined;
  const text = firstConfiguration(answers, withBase ? baseLines(path, answers.prefix, kept) : base);
  if (kept !== undefined && kept === olderDirectory(before, undefined))
    stderr(
      `the configuration of an older credmon was found: its credential directory ${kept} is kept; ` +
        'condor_credmon check --migrate FILE prints the new lines for its other knobs',
    );
  await writeSecret(answers.secretFile, person, stderr);
  writeConfiguration(output, text, command.force);
  stdout(`wrote ${output}`);
  stdout(`register this redirect URI at the issuer: ${redirectUri(answers)}`);
  const isRead = oldConfig(command, env)?.sources.includes(output) === true;
  if (!isRead)
    stderr(`${output} is not part of HTCondor's configuration yet: only this file is checked`);
  const root = isRead ? command.configFile : output;
  const check = {
    ...command,
    kind: 'check',
    user: undefined,
    json: false,
    configFile: root,
  } as const;
  return runCheckCommand(check, env, stdout);
}

/**
 * Returns the text of a file that would be replaced.
 * @throws CodedError `USAGE` for anything but a file, also with --force
 */
function readOld(path: string): string | undefined {
  const here = lstatSync(path, { throwIfNoEntry: false });
  const file = here?.isSymbolicLink() === true ? statSync(path, { throwIfNoEntry: false }) : here;
  if (here && !file) {
    const text = `is a symbolic link to ${readlinkSync(path)}, which does not exist`;
    throw new CodedError('USAGE', `${path} ${text}; fix: rm ${shellWord(path)}`, { path });
  }
  if (file?.isFile() === false)
    throw new CodedError('USAGE', `${path} is not a regular file; fix: --output FILE`, { path });
  return file && readFileSync(path, 'utf8');
}

/** Returns the present configuration; without HTCondor there is none. */
function oldConfig(command: InitCommand, env: NodeJS.ProcessEnv): Config | undefined {
  try {
    return openConfig(command, env);
  } catch (error) {
    if (error instanceof CodedError && error.code === 'CONFIG_READ') return undefined;
    throw error;
  }
}

/**
 * Returns the credential directory that only older names set, or that the replaced file
 * has kept: the feature OAUTH alone would move it, and no token in it would be renewed.
 */
function olderDirectory(config: Config | undefined, old: string | undefined): string | undefined {
  const [, kept] = /^\s*SEC_CREDENTIAL_DIRECTORY_OAUTH\s*=\s*(\S.*?)\s*$/im.exec(old ?? '') ?? [];
  if (kept !== undefined || config?.get('SEC_CREDENTIAL_DIRECTORY_OAUTH') !== undefined)
    return kept;
  return config?.get('SEC_CREDENTIAL_DIRECTORY') ?? config?.get('SEC_CREDENTIAL_DIR');
}

/** The last directory of LOCAL_CONFIG_DIR, whose files win. */
function localDirectory(config: Config | undefined): string {
  const directories = config?.get('LOCAL_CONFIG_DIR')?.split(/[\s,]+/) ?? [];
  return directories.filter(Boolean).at(-1) ?? dirname(DEFAULT_FILE);
}

/** The flag of each answer, and the question. */
const QUESTIONS: Readonly<Record<AnswerName, { readonly flag: string; readonly text: string }>> = {
  profile: { flag: '--profile', text: `Kind of issuer (${PROFILE_NAMES.join(', ')})` },
  provider: { flag: '--provider', text: 'Name that users write after use_oauth_services' },
  issuer: { flag: '--issuer', text: 'Exact issuer URL' },
  clientId: { flag: '--client-id', text: 'Client id' },
  secretFile: {
    flag: '--secret-file',
    text: 'File for the client secret (its path, not the secret)',
  },
  prefix: { flag: '--prefix', text: 'Address of the web portal' },
};

async function answersOf(
  command: InitCommand,
  config: Config | undefined,
  person: Questions | undefined,
  stderr: Output['stderr'],
): Promise<Answers> {
  const missing: string[] = [];
  /** `fallback` is offered to a person; without one it is taken if `isSafe`. */
  const answer = async (
    name: AnswerName,
    fallback: string | undefined,
    isSafe: boolean,
  ): Promise<string> => {
    const { flag, text } = QUESTIONS[name];
    const given = command[name];
    if (given !== undefined) {
      const why = whyInvalid(name, given);
      if (why !== undefined) throw new CodedError('USAGE', `${flag} ${why}`, { option: flag });
      return given;
    }
    if (!person) {
      if (!isSafe || fallback === undefined) missing.push(flag);
      return fallback ?? '';
    }
    for (;;) {
      const line = await person.line(`${text}${fallback === undefined ? '' : ` [${fallback}]`}: `);
      if (line === undefined) throw new CodedError('USAGE', 'no answer: nothing was written');
      const value = line === '' && fallback !== undefined ? fallback : line;
      const why = whyInvalid(name, value);
      if (why === undefined) return value;
      stderr(`This ${why}.`);
    }
  };
  const suggested = suggestProfile(command.issuer ?? '');
  const profile = await answer('profile', suggested, suggested !== undefined);
  const kind = isProfileName(profile) ? profile : 'generic';
  const provider = await answer('provider', kind === 'generic' ? undefined : kind, true);
  const asksIssuer =
    command.issuer !== undefined || (isProfileName(profile) && needsIssuer(profile));
  const answers = {
    profile: kind,
    provider,
    issuer: asksIssuer ? await answer('issuer', undefined, false) : undefined,
    clientId: await answer('clientId', undefined, false),
    secretFile: await answer('secretFile', join(SECRETS, provider), true),
    prefix: await answer('prefix', prefixOf(config), true),
  };
  if (missing.length === 0) return answers;
  throw new CodedError('USAGE', `missing: ${missing.join(', ')} (there is no terminal to ask on)`);
}

const prefixOf = (config: Config | undefined): string =>
  config?.get('CREDMON_WEB_PREFIX') ?? knobDefault('CREDMON_WEB_PREFIX');

/**
 * A secret that exists is kept, also a link to a file that is not there yet. Without a
 * person, `check` says how to write it.
 */
async function writeSecret(
  path: string,
  person: Questions | undefined,
  stderr: Output['stderr'],
): Promise<void> {
  if (!person || lstatSync(path, { throwIfNoEntry: false }) !== undefined) return;
  const ask = (): Promise<string | undefined> =>
    person.secret(`Client secret, to be written to ${path} (empty: later): `);
  let secret = await ask();
  // A cursor key sends some.
  for (; secret !== undefined && /\p{Cc}/u.test(secret); secret = await ask())
    stderr('This must not contain control characters.');
  if (secret === undefined || secret === '') return;
  writing(path, () => {
    if (!existsSync(dirname(path))) mkdirSync(dirname(path), { mode: 0o700 });
    writeFileAtomically(path, `${secret}\n`, { mode: 0o600, durable: true });
  });
  stderr(`wrote ${path}`);
}

/**
 * Writes the configuration, with its mode, whatever the umask. Without `force`, it never
 * replaces a file, also if another process has just created it. The new file gets its name
 * only when it is complete; without hard links it is empty for a moment.
 */
function writeConfiguration(path: string, text: string, force: boolean): void {
  const options = { mode: 0o644, durable: true };
  writing(path, () => {
    if (force) return writeFileAtomically(path, text, options);
    const staged = stageFile(path, text, options);
    try {
      commitNew(staged);
    } finally {
      staged.discard();
    }
    return undefined;
  });
}

function writing(path: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    const exists = statSync(dirname(path), { throwIfNoEntry: false }) !== undefined;
    const fix = !exists
      ? `install -d ${shellWord(dirname(path))}`
      : code === 'EEXIST'
        ? 'it was created in the meantime, look at it'
        : 'run it as root';
    throw new CodedError('CONFIG_READ', `cannot write ${path} (${code}); fix: ${fix}`, { path });
  }
}
