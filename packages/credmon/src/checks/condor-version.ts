// Recognises the installed HTCondor, and says what of this configuration will not work
// with it.
import { execFile } from 'node:child_process';
import { basename } from 'node:path';
import { ok, warning, wrong, type Finding } from '@credmon/core/base';
import type { Settings } from '../settings/read.ts';
import { findProgram } from '../storer/programs.ts';
import type { CheckContext } from './context.ts';
import table from './condor-versions.json' with { type: 'json' };

const WHAT = 'HTCondor';

/** What the configuration uses that HTCondor must know, too. */
export type Use = 'all' | 'local' | 'storer' | 'vault' | 'pelican' | 'special names';

/** Something of HTCondor that not every version has. */
export interface CondorFeature {
  readonly name: string;
  /** The first version known to have it. */
  readonly since: string;
  /** The last version seen without it; default: every version before `since` lacks it. */
  readonly absent?: string;
  /** For which use of credmon it matters. */
  readonly for: string;
  readonly lacking: string;
  readonly instead: string;
  readonly source: string;
}

/** What is known of HTCondor's versions; docs/htcondor-versions.md is made from it. */
export const CONDOR_VERSIONS: {
  readonly measured: readonly string[];
  readonly oldest: string;
  readonly features: readonly CondorFeature[];
} = table;

/** Time limit of condor_version, in milliseconds. */
const TIMEOUT = 5000;

/** Returns the version in the output of condor_version. */
export function versionIn(output: string): string | undefined {
  return /\$CondorVersion:\s+(\d+\.\d+\.\d+)\b/.exec(output)?.[1];
}

/** Returns a negative number if the first version is older, 0 if they are equal. */
export function compareVersions(one: string, other: string): number {
  const [left, right] = [one, other].map((text) => text.split('.').map(Number));
  for (const index of [0, 1, 2]) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Returns what the version lacks of what is used; where only ranges are known, perhaps. */
export function versionFindings(version: string, uses: ReadonlySet<string>): Finding[] {
  const { measured, oldest, features } = CONDOR_VERSIONS;
  const isMeasured = measured.includes(version);
  const tested = `tested with HTCondor ${measured.join(' and ')}`;
  const first = ok(
    WHAT,
    isMeasured ? `${version} is installed` : `${version} is installed; ${tested}`,
  );
  const missing = features.filter(
    (one) => uses.has(one.for) && compareVersions(version, one.since) < 0,
  );
  const rest = missing.map((one) => {
    const certain = one.absent === undefined || compareVersions(version, one.absent) <= 0;
    const lacks = certain ? 'has no' : 'may have no';
    const text = `${version} ${lacks} ${one.name}: ${one.lacking}; ${insteadOf(one)}`;
    if (compareVersions(version, oldest) < 0 && one.for === 'all') return wrong(WHAT, text);
    return isHarmless(one) ? ok(WHAT, text) : warning(WHAT, text);
  });
  return [first, ...rest];
}

const isHarmless = ({ instead }: CondorFeature): boolean => instead.startsWith('nothing');

function insteadOf(feature: CondorFeature): string {
  const { instead } = feature;
  return isHarmless(feature) ? instead.replace(/^nothing: /, '') : `fix: ${instead}`;
}

/** Returns what a configuration uses of HTCondor. */
export function usesOf(settings: Settings, storer: string | undefined): ReadonlySet<Use> {
  const { local, lists, vaultEnabled } = settings;
  const isOurs = storer !== undefined && basename(storer) === 'condor_credential_storer';
  const uses: readonly (readonly [Use, boolean])[] = [
    ['all', true],
    ['local', local.explicit || lists.client.length > 0],
    ['storer', isOurs],
    ['vault', vaultEnabled && lists.vault !== '*' && lists.vault.length > 0],
    ['pelican', lists.pelican.length > 0],
    ['special names', lists.specialNames],
  ];
  return new Set(uses.flatMap(([use, isUsed]) => (isUsed ? [use] : [])));
}

/**
 * Runs condor_version of PATH, else of $(BIN) and $(SBIN), and judges its version. Finds
 * nothing on a host without HTCondor, such as that of a portal.
 */
export async function checkCondorVersion(
  { config, settings }: Pick<CheckContext, 'config' | 'settings'>,
  path: string,
): Promise<Finding[]> {
  const folders = [config.get('BIN'), config.get('SBIN')].filter((one) => one !== undefined);
  const program = findProgram('condor_version', path, folders);
  if (program === undefined) return [];
  const output = await outputOf(program);
  if (typeof output !== 'string') return [warning(WHAT, `cannot run ${program} (${output.why})`)];
  const version = versionIn(output);
  if (version === undefined) return [warning(WHAT, `${program} prints no version`)];
  return versionFindings(version, usesOf(settings, config.get('SEC_CREDENTIAL_STORER')));
}

function outputOf(program: string): Promise<string | { readonly why: string }> {
  const options = { encoding: 'utf8', timeout: TIMEOUT, killSignal: 'SIGKILL' } as const;
  return new Promise((resolve) => {
    execFile(program, [], options, (error, output) => {
      if (error === null) resolve(output);
      else resolve({ why: error.killed === true ? 'timed out' : `exit code ${error.code ?? '?'}` });
    });
  });
}
