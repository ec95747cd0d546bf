// The answers of HTCondor's Python module classad2, inside a pool's root directory.
import { appendFileSync, copyFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { POOL_HOST, type Namespace } from '../pool/namespace.ts';
import type { Answer } from './allowed-differences.ts';
import type { RandomExpression } from './random-expressions.ts';

const SCRIPT = 'classad2-answers.py';
const INSIDE = `/root/${SCRIPT}`;
const ENVIRONMENT = { CONDOR_CONFIG: 'ONLY_ENV', TZ: 'UTC', LC_ALL: 'C.UTF-8' };
/** Processes that answer at the same time. */
const PROCESSES = 2;

/**
 * Returns what classad2 answers to each expression.
 * @throws Error if Python or the module is missing
 */
export async function answersOfClassad2(
  inside: Namespace,
  asked: readonly RandomExpression[],
): Promise<Answer[]> {
  copyFileSync(fileURLToPath(new URL(SCRIPT, import.meta.url)), inside.path(INSIDE));
  // The module looks the host's name up, and tries for minutes.
  appendFileSync(inside.path('/etc/hosts'), `127.0.0.1 ${POOL_HOST} localhost\n`);
  const size = Math.ceil(asked.length / PROCESSES);
  const parts = Array.from({ length: PROCESSES }, (_, at) =>
    asked.slice(at * size, (at + 1) * size),
  );
  const answers = await Promise.all(parts.map((part) => answersOfProcess(inside, part)));
  return answers.flat();
}

async function answersOfProcess(
  inside: Namespace,
  asked: readonly RandomExpression[],
): Promise<Answer[]> {
  const lines = asked.map(({ ad, expression, target }) => JSON.stringify([ad, expression, target]));
  const output = await inside.must(['/usr/bin/python3', INSIDE], {
    environment: ENVIRONMENT,
    input: lines.map((line) => `${line}\n`).join(''),
  });
  const answers = output.trimEnd().split('\n');
  return answers.map((line) => (JSON.parse(line) as Answer | null) ?? undefined);
}
