// The check command's look at a key directory: the key that signs, and what rotation
// waits for.
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf } from '@credmon/core/base';
import {
  activeKey,
  planRotation,
  readKeyDirectory,
  type KeyIndex,
  type SigningKey,
} from '@credmon/scitokens';
import { ok, warning, wrong, type Finding } from './finding.ts';
import { writable } from './context.ts';
import { duration } from '../status/rows.ts';

/** A key, where there is one that signs, and what there is to say of it. */
export interface FoundKey {
  readonly findings: Finding[];
  readonly key?: SigningKey;
}

/**
 * The time (epoch seconds), whether the daemon takes every step of a rotation by itself,
 * and how to publish.
 */
export interface Rotation {
  readonly now: number;
  readonly byDaemon: boolean;
  /** The command that publishes the keys. */
  readonly publish: string;
}

const ROTATE = 'condor_credmon keys rotate';
const firstKey = ({ publish }: Rotation): string => `${ROTATE} && ${publish} && ${ROTATE}`;

/**
 * The key that signs, and what rotation waits for.
 * @throws CodedError `TOKEN_KEY_DIRECTORY`
 */
export function lookAtKeyDirectory(
  what: string,
  path: string,
  lifetime: number,
  rotation: Rotation,
): FoundKey {
  const { now, byDaemon } = rotation;
  const made = existsSync(path);
  if (!made && !byDaemon)
    return { findings: [wrong(what, `${path} is not there; fix: ${firstKey(rotation)}`)] };
  const parent = dirname(path);
  if (!made && existsSync(parent) && !writable(parent))
    return {
      findings: [wrong(what, `${path} is not there, and the daemon cannot make it in ${parent}`)],
    };
  const index = made ? readKeyDirectory(path) : undefined;
  if (index === undefined || (byDaemon && index.keys.length === 0))
    return { findings: [ok(what, `there is no key yet; the daemon makes one in ${path}`)] };
  const steps = rotationOf(what, path, index, rotation);
  try {
    const key = activeKey(path, lifetime);
    const since = index.keys.find(({ state }) => state === 'active')?.activated;
    const age = since === undefined ? '' : `, since ${duration(Math.max(1, now - since))} ago`;
    return {
      findings: [ok(what, `signs with ${key.kid ?? 'a key'} of ${path}${age}`), ...steps],
      key,
    };
  } catch (error) {
    return { findings: [wrong(what, messageOf(error)), ...steps] };
  }
}

/**
 * What a rotation waits for. A key that could have been taken into use a day ago tells of
 * a cron job that does not run.
 */
function rotationOf(what: string, path: string, index: KeyIndex, rotation: Rotation): Finding[] {
  const { now, byDaemon } = rotation;
  const step = planRotation(index.keys, index, now, false);
  const next = index.keys.find(({ state }) => state === 'next');
  switch (step.step) {
    case 'create':
      return [
        wrong(
          what,
          `${path} holds no key: make one, publish it, and rotate again; fix: ${firstKey(rotation)}`,
        ),
      ];
    case 'activate': {
      const ready = (next?.published ?? now) + index.publishLead;
      return [
        warning(
          what,
          `rotation to ${step.kid} is ${lateness(now - ready)}, ${byDaemon ? 'and the daemon should have seen' : 'and cron should see'} to it${byDaemon ? '' : ' daily'}; fix: ${ROTATE}`,
        ),
      ];
    }
    case 'retire':
      return [ok(what, `the old key ${step.kid} can go at the next ${ROTATE}`)];
    case 'wait':
      if (next && next.published === undefined)
        return [
          byDaemon
            ? ok(what, `the next key ${next.kid} is not published yet; the daemon sees to it`)
            : warning(what, `the next key ${next.kid} is not published; fix: ${rotation.publish}`),
        ];
      return step.until === undefined
        ? []
        : [ok(what, `rotation continues in ${duration(step.until - now)}: ${step.reason}`)];
  }
}

function lateness(seconds: number): string {
  return seconds > 86_400 ? `overdue by ${duration(seconds)}` : 'due';
}
