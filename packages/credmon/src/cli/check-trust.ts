// The check command's look at the certificate authorities that TLS trusts.
import { trustText } from '@credmon/core';
import { ok, warning, type Finding } from '../check/finding.ts';
import type { CheckWorld } from './check-world.ts';

const WHAT = 'certificates';

/** Which authorities are trusted, and which files were skipped. An issuer whose authority is missing says so where it is asked. */
export function lookAtTrust({ trust }: CheckWorld): Finding[] {
  const state = trust.general.current();
  return [ok(WHAT, trustText(state)), ...state.problems.map((text) => warning(WHAT, text))];
}
