// The signing keys and their uses (providers, issuers, the longest token lifetime), and
// the rotation of the local issuer's key directories on schedule if
// CREDMON_LOCAL_KEY_ROTATE is set, by the rules of @credmon/scitokens.
import type { KeySource } from '../settings/local.ts';
import type { Settings } from '../settings/read.ts';
import { largest, messageOf, shellWord } from '@credmon/core/base';
import type { Log } from '@credmon/core/log';
import type {
  KeyIndex,
  KeyRecord,
  RotateOptions,
  RotationPolicy,
  RotationStep,
} from '@credmon/scitokens';

/** Minimum token lifetime that a new key directory is made for, in seconds. */
export const DAY = 86_400;

/** A source of keys and its uses; `longestLifetime` in seconds. */
export interface KeyUse {
  readonly source: KeySource;
  readonly providers: readonly string[];
  readonly issuers: readonly string[];
  readonly longestLifetime: number;
}

/** One signer: a local provider, or a standing token. */
interface Signer {
  readonly source: KeySource;
  readonly provider: string;
  readonly issuer: string;
  readonly lifetime: number;
}

/**
 * Returns every source of keys in these settings, in order. Standing tokens count as
 * tokens of their provider.
 */
export function keyUses({
  local,
  standing,
}: Pick<Settings, 'local' | 'standing'>): readonly KeyUse[] {
  const signers: Signer[] = [
    ...(local.explicit ? local.issuers : []).map(({ service, issuer, key, lifetime }) => ({
      source: key,
      provider: service,
      issuer,
      lifetime,
    })),
    // A fetched token has no local issuer.
    ...standing.flatMap((token) =>
      'issuer' in token
        ? [
            {
              source: token.issuer.key,
              provider: token.issuer.service,
              issuer: token.issuer.issuer,
              lifetime: token.lifetime,
            },
          ]
        : [],
    ),
  ];
  const groups = new Map<string, Signer[]>();
  for (const signer of signers) {
    const key = JSON.stringify(signer.source);
    groups.set(key, [...(groups.get(key) ?? []), signer]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    return {
      source: first.source,
      providers: [...new Set(group.map(({ provider }) => provider))],
      issuers: [...new Set(group.map(({ issuer }) => issuer))],
      longestLifetime: largest(group.map(({ lifetime }) => lifetime)),
    };
  });
}

/**
 * Returns the command that publishes the keys of a provider; if the portal does not, it
 * needs a web server's top directory.
 */
export function publishCommand(provider: string, byPortal: boolean): string {
  const command = 'condor_credmon keys publish';
  return byPortal ? command : `${command} WEBDIR --provider ${shellWord(provider)}`;
}

/**
 * Returns why keys in their own directory do not count as published, and what to do;
 * `undefined` if the portal publishes them (as the keys of the issuer `served`).
 */
export function notServed({ issuers, providers }: KeyUse, served: string): string | undefined {
  if (issuers.includes(served)) return undefined;
  return (
    `the portal publishes the keys of ${served} only; to publish those of ` +
    `${issuers.join(', ')}: ${publishCommand(providers[0] ?? '', false)}, where ` +
    'WEBDIR is the top directory of its web server'
  );
}

/**
 * Key directories; times in epoch seconds. Methods throw a CodedError, or the system's
 * error.
 */
export interface KeyDirectories {
  readonly init: (directory: string, policy: Partial<RotationPolicy>) => void;
  readonly read: (directory: string) => KeyIndex;
  readonly rotate: (directory: string, options: RotateOptions) => readonly RotationStep[];
  readonly publish: (directory: string, now: number) => string;
}

/** The settings that are used. */
type RotationSettings = Pick<Settings, 'local' | 'standing' | 'keyRotation'>;

/** How often the directories are checked, in seconds. */
const INTERVAL = 3600;

/**
 * Returns a function that takes the due steps, at most once an hour and at once with new
 * settings. Errors are logged when they change, and retried; existing keys continue to
 * sign.
 */
export function createKeyRotation(
  ports: KeyDirectories,
  log: Log,
): (settings: RotationSettings, now: number) => void {
  let checked: { readonly settings: RotationSettings; readonly at: number } | undefined;
  const problems = new Map<string, string>();
  return (settings, now) => {
    const recent =
      checked?.settings === settings && now >= checked.at && now < checked.at + INTERVAL;
    if (settings.keyRotation === 0 || recent) return;
    checked = { settings, at: now };
    for (const use of keyUses(settings)) {
      const { kind, path } = use.source;
      if (kind === 'file') continue;
      const logOnce = (text: string): void => {
        if (problems.get(path) !== text) log.error(text);
        problems.set(path, text);
      };
      try {
        const unpublished = notServed(use, settings.local.served);
        const { steps, waits } = rotateOnce(
          use,
          settings.keyRotation,
          ports,
          now,
          unpublished === undefined,
        );
        if (steps.length > 0) log.info(`Keys in ${path}: ${steps.map(nameOf).join(', ')}`);
        if (waits && unpublished !== undefined)
          logOnce(`a new key in ${path} is not published: ${unpublished}`);
        else problems.delete(path);
      } catch (error) {
        logOnce(`failed to rotate the keys in ${path}: ${messageOf(error)}`);
      }
    }
  };
}

/** The steps taken, and whether a key must be published by the administrator. */
interface RotationResult {
  readonly steps: readonly RotationStep[];
  readonly waits: boolean;
}

/**
 * Publishes a change of the key set before the next step; `served`: the key directory
 * itself is published.
 */
function rotateOnce(
  { source: { path }, longestLifetime }: KeyUse,
  period: number,
  ports: KeyDirectories,
  now: number,
  served: boolean,
): RotationResult {
  ports.init(path, { longestLifetime: Math.max(DAY, longestLifetime) });
  const { keys } = ports.read(path);
  const active = keys.find(({ state }) => state === 'active');
  const options = { now, longestLifetime, algorithm: active?.algorithm ?? 'ES256' };
  const first = taken(ports.rotate(path, { ...options, begin: isOld(keys, active, period, now) }));
  const unpublished = ports
    .read(path)
    .keys.some(({ state, published }) => state !== 'retired' && published === undefined);
  if (!served || (first.length === 0 && !unpublished)) return { steps: first, waits: unpublished };
  ports.publish(path, now);
  return { steps: [...first, ...taken(ports.rotate(path, options))], waits: false };
}

/** True when the signing key is older than the period and no next key exists. */
function isOld(
  keys: readonly KeyRecord[],
  active: KeyRecord | undefined,
  period: number,
  now: number,
): boolean {
  if (!active || keys.some(({ state }) => state === 'next')) return false;
  return now - (active.activated ?? active.created) >= period;
}

const taken = (steps: readonly RotationStep[]): readonly RotationStep[] =>
  steps.filter(({ step }) => step !== 'wait');

function nameOf(step: RotationStep): string {
  return 'kid' in step ? `${step.step} ${step.kid}` : step.step;
}
