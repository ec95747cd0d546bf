// `keys list`, `keys rotate`, `keys publish`: manage the local issuer's signing keys with
// @credmon/scitokens.
import { CodedError, isCoded, messageOf, systemClock } from '@credmon/core/base';
import {
  initKeyDirectory,
  keyTable,
  publicKeys,
  publishInPlace,
  publishKeys,
  readKeyDirectory,
  readSigningKey,
  rotateKeys,
  stepText,
  type Algorithm,
  type RotationStep,
} from '@credmon/scitokens';
import type { Subcommand } from '../command-line/command.ts';
import { localFiles } from '../host/local-files.ts';
import { readSettings } from '../settings/read.ts';
import { DAY, keyUses, type KeyUse, notServed } from '../keys/signing-keys.ts';
import { openConfig } from '../command-line/open-config.ts';
import type { Output } from './revoke.ts';

type KeysCommand = Extract<Subcommand, { kind: 'keys-list' | 'keys-rotate' | 'keys-publish' }>;

/**
 * The result for one source of keys: its members for `--json`, the text for people, or
 * the problem.
 */
interface Report {
  readonly use: KeyUse;
  readonly json: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly problem?: string;
}

/**
 * Lists, rotates or publishes. Exit code 0, or 1 when there is a problem or nothing could
 * be done.
 * @throws CodedError when nothing was tried: unknown provider, invalid configuration
 */
export function runKeysCommand(
  command: KeysCommand,
  env: NodeJS.ProcessEnv,
  { stdout, stderr }: Output,
): number {
  const config = openConfig(command, env);
  const settings = readSettings(config, {
    ...command,
    logFile: undefined,
    debug: false,
    verbose: false,
  });
  const uses = usesOf(keyUses(settings), command.provider);
  const work = workOf(command, uses, settings.local.served);
  const reports = uses.map((use) => attempt(use, work));
  if (command.json) stdout(JSON.stringify({ keys: reports.map(jsonOf) }, null, 2));
  else for (const { use, text } of reports) stdout(`${heading(use)}\n${text}`.trimEnd());
  for (const { problem } of reports) if (problem !== undefined) stderr(problem);
  // A PEM file next to key directories is not a failure, unless it was requested.
  const failed = reports.filter(({ problem }) => problem !== undefined);
  const onlySingleKeys =
    command.kind !== 'keys-list' &&
    failed.length < reports.length &&
    failed.every(({ use }) => use.source.kind === 'file');
  return failed.length === 0 || onlySingleKeys ? 0 : 1;
}

function usesOf(uses: readonly KeyUse[], provider: string | undefined): readonly KeyUse[] {
  if (uses.length === 0)
    throw new CodedError(
      'TOKEN_KEY_UNREADY',
      'no local tokens: neither LOCAL_CREDMON_PROVIDER_NAMES nor CREDMON_STANDING_TOKENS is set',
    );
  if (provider === undefined) return uses;
  const matching = uses.filter(({ providers }) => providers.includes(provider));
  if (matching.length > 0) return matching;
  const known = uses.flatMap(({ providers }) => providers).join(', ');
  throw new CodedError('USAGE', `${provider} is not a local provider; local providers: ${known}`);
}

type Work = (use: KeyUse) => Omit<Report, 'use'>;

function workOf(command: KeysCommand, uses: readonly KeyUse[], served: string): Work {
  switch (command.kind) {
    case 'keys-list':
      return list;
    case 'keys-rotate':
      return (use) => rotate(use, command.begin, command.algorithm);
    case 'keys-publish': {
      const { directory } = command;
      if (directory !== undefined) requireOneIssuer(uses, directory);
      return (use) => publish(use, directory, served);
    }
  }
}

function attempt(use: KeyUse, work: Work): Report {
  try {
    return { use, ...work(use) };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const text = messageOf(error);
    const json = { problem: text, ...(isCoded(error) ? { code: error.code } : {}) };
    return { use, json, text: '', problem: `${use.providers.join(', ')}: ${text}` };
  }
}

function heading({ source, providers, longestLifetime }: KeyUse): string {
  return `${source.path}: ${providers.join(', ')}; longest token lifetime ${longestLifetime} s`;
}

function jsonOf({ use, json }: Report): Readonly<Record<string, unknown>> {
  const { source, providers, issuers, longestLifetime: longest_lifetime } = use;
  return { kind: source.kind, path: source.path, providers, issuers, longest_lifetime, ...json };
}

function list({ source, longestLifetime }: KeyUse): Omit<Report, 'use'> {
  if (source.kind === 'file') {
    const text = localFiles(() => undefined).readKey(source.path);
    if (!text.ok) throw new CodedError('TOKEN_KEY_UNREADY', `${source.path} ${text.reason}`);
    const { kid = '', algorithm } = readSigningKey(text.value, {
      kid: source.keyId,
      algorithm: source.algorithm,
    });
    return {
      json: { keys: [{ kid, algorithm }] },
      text: `${'KID'.padEnd(kid.length)}  ALG\n${kid.padEnd(3)}  ${algorithm}`,
    };
  }
  const index = readKeyDirectory(source.path);
  const { keys } = index;
  const json = { publish_lead: index.publishLead, keys };
  const unusable = keyProblem(source.path);
  if (unusable !== undefined)
    return { json: { ...json, problem: unusable }, text: keyTable(keys), problem: unusable };
  if (longestLifetime <= index.longestLifetime) return { json, text: keyTable(index.keys) };
  const problem =
    `${source.path} keeps retired keys for tokens of ${index.longestLifetime} s, ` +
    `but the longest configured lifetime is ${longestLifetime} s; fix: condor_credmon keys rotate`;
  return { json: { ...json, problem }, text: keyTable(index.keys), problem };
}

/** Reads every private file, as signing and publishing do. */
function keyProblem(path: string): string | undefined {
  try {
    publicKeys(path);
    return undefined;
  } catch (error) {
    if (!isCoded(error)) throw error;
    return error.message;
  }
}

function rotate(
  { source, longestLifetime, providers }: KeyUse,
  begin: boolean,
  algorithm: Algorithm,
): Omit<Report, 'use'> {
  if (source.kind === 'file') throw noRotation(source.path, providers);
  initKeyDirectory(source.path, { longestLifetime: Math.max(DAY, longestLifetime) });
  const now = systemClock.now();
  const steps: readonly RotationStep[] = rotateKeys(source.path, {
    now,
    begin,
    algorithm,
    longestLifetime,
  });
  return { json: { steps }, text: steps.map(stepText).join('\n') };
}

function publish(use: KeyUse, directory: string | undefined, served: string): Omit<Report, 'use'> {
  const { source, issuers, providers } = use;
  if (source.kind === 'file') throw noRotation(source.path, providers);
  // Keys in a directory that is not served must not count as published.
  const problem = directory === undefined ? notServed(use, served) : undefined;
  if (problem !== undefined) throw new CodedError('TOKEN_KEY_UNREADY', problem);
  const now = systemClock.now();
  const written =
    directory === undefined
      ? [publishInPlace(source.path, now)]
      : publishKeys(source.path, issuers[0] ?? '', directory, now);
  return { json: { written }, text: written.join('\n') };
}

/** The static files of a second issuer would overwrite those of the first. */
function requireOneIssuer(uses: readonly KeyUse[], directory: string): void {
  const directories = uses.filter(({ source }) => source.kind === 'directory');
  const issuers = new Set(directories.flatMap((use) => use.issuers));
  if (directories.length <= 1 && issuers.size <= 1) return;
  const names = directories.flatMap(({ providers }) => providers).join(', ');
  throw new CodedError(
    'USAGE',
    `${directory} can contain the keys of only one issuer from one key directory; choose ` +
      `one with --provider: ${names} (issuers: ${[...issuers].join(', ')})`,
  );
}

function noRotation(path: string, providers: readonly string[]): CodedError {
  const [provider = ''] = providers;
  return new CodedError(
    'TOKEN_KEY_UNREADY',
    `${path} is a single key and can be neither rotated nor published; set ` +
      `CREDMON_LOCAL_KEY_DIRECTORY (or CREDMON_${provider}_KEY_DIRECTORY) to a directory, ` +
      'and keep the file until its last token has expired',
    { path },
  );
}
