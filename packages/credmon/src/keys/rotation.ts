// Rotates the local issuer's key directories by the calendar, where
// CREDMON_LOCAL_KEY_ROTATE asks for it, by the rules of @credmon/scitokens.
import { messageOf } from '@credmon/core/base';
import type {
  KeyIndex,
  KeyRecord,
  RotateOptions,
  RotationPolicy,
  RotationStep,
} from '@credmon/scitokens';
import { unserved } from './uses.ts';
import { A_DAY, keyUses, type KeyUse } from './uses.ts';
import type { Log } from '@credmon/core/log';
import type { Settings } from '../settings/read.ts';

/**
 * Key directories; times in epoch seconds. Each method throws a CodedError, or the
 * system's error.
 */
export interface KeyDirectories {
  readonly init: (directory: string, policy: Partial<RotationPolicy>) => void;
  readonly read: (directory: string) => KeyIndex;
  readonly rotate: (directory: string, options: RotateOptions) => readonly RotationStep[];
  readonly publish: (directory: string, now: number) => string;
}

/** What of the settings counts. */
type RotationSettings = Pick<Settings, 'local' | 'standing' | 'keyRotation'>;

/** How often the directories are looked at, in seconds. */
const INTERVAL = 3600;

/**
 * Takes the steps that are due, at most once an hour and at once with new settings. What
 * goes wrong is reported when it changes and tried again; the keys that there are go on
 * signing.
 */
export function createKeyRotation(
  ports: KeyDirectories,
  log: Log,
): (settings: RotationSettings, now: number) => void {
  let looked: { readonly settings: RotationSettings; readonly at: number } | undefined;
  const wrong = new Map<string, string>();
  return (settings, now) => {
    const recent = looked?.settings === settings && now >= looked.at && now < looked.at + INTERVAL;
    if (settings.keyRotation === 0 || recent) return;
    looked = { settings, at: now };
    for (const use of keyUses(settings)) {
      const { kind, path } = use.source;
      if (kind === 'file') continue;
      const tell = (text: string): void => {
        if (wrong.get(path) !== text) log.error(text);
        wrong.set(path, text);
      };
      try {
        const nobody = unserved(use, settings.local.served);
        const { steps, waits } = turn(use, settings.keyRotation, ports, now, nobody === undefined);
        if (steps.length > 0) log.info(`Keys in ${path}: ${steps.map(nameOf).join(', ')}`);
        if (waits && nobody !== undefined)
          tell(`a new key in ${path} waits to be published: ${nobody}`);
        else wrong.delete(path);
      } catch (error) {
        tell(`the keys in ${path} cannot be rotated: ${messageOf(error)}`);
      }
    }
  };
}

/**
 * The steps that were taken, and whether a key waits for a publication that is not ours
 * to make.
 */
interface Turn {
  readonly steps: readonly RotationStep[];
  readonly waits: boolean;
}

/**
 * A change of the key set is published before anything else may follow from it; `served`
 * where its own directory is the place for that.
 */
function turn(
  { source: { path }, longestLifetime }: KeyUse,
  period: number,
  ports: KeyDirectories,
  now: number,
  served: boolean,
): Turn {
  ports.init(path, { longestLifetime: Math.max(A_DAY, longestLifetime) });
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

/** True when the signing key has served its time and no other waits. */
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
