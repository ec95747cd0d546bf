// The check command's look at a key directory: the key that signs, and what rotation waits for.
import { messageOf, shellWord } from '@credmon/core';
import {
  activeKey,
  planRotation,
  readKeyDirectory,
  type KeyIndex,
  type SigningKey,
} from '@credmon/scitokens';
import { ok, warning, wrong, type Finding } from '../check/finding.ts';
import { duration } from '../status.ts';

/** A key, where there is one that signs, and what there is to say of it. */
export interface FoundKey {
  readonly findings: Finding[];
  readonly key?: SigningKey;
}

/** The key that signs, and what rotation waits for. @throws CodedError `TOKEN_KEY_DIRECTORY` */
export function lookAtKeyDirectory(what: string, path: string, lifetime: number, now: number): FoundKey {
  const index = readKeyDirectory(path);
  const rotation = rotationOf(what, path, index, now);
  try {
    const key = activeKey(path, lifetime);
    const since = index.keys.find(({ state }) => state === 'active')?.activated;
    const age = since === undefined ? '' : ` for ${duration(now - since)}`;
    return { findings: [ok(what, `signs with ${key.kid ?? 'a key'} of ${path}${age}`), ...rotation], key };
  } catch (error) {
    return { findings: [wrong(what, messageOf(error)), ...rotation] };
  }
}

/** What a rotation waits for. A key that could have been taken into use a day ago tells of a cron job that does not run. */
function rotationOf(what: string, path: string, index: KeyIndex, now: number): Finding[] {
  const step = planRotation(index.keys, index, now, false);
  const next = index.keys.find(({ state }) => state === 'next');
  const run = `scitokens key rotate ${shellWord(path)}`;
  switch (step.step) {
    case 'create':
      return [
        wrong(what, `${path} holds no key: make one, publish it, and rotate again; to mend it: ${run}`),
      ];
    case 'activate': {
      const ready = (next?.published ?? now) + index.publishLead;
      return [
        warning(
          what,
          `rotation to ${step.kid} is ${lateness(now - ready)}, and cron should see to it daily; to mend it: ${run}`,
        ),
      ];
    }
    case 'retire':
      return [ok(what, `the old key ${step.kid} can go at the next ${run}`)];
    case 'wait':
      if (next && next.published === undefined)
        return [warning(what, `the next key ${next.kid} is not published: run scitokens key publish`)];
      return step.until === undefined
        ? []
        : [ok(what, `rotation goes on in ${duration(step.until - now)}: ${step.reason}`)];
  }
}

function lateness(seconds: number): string {
  return seconds > 86_400 ? `overdue by ${duration(seconds)}` : 'due';
}
