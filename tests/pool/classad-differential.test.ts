// Random ClassAd expressions and regular expressions, answered by HTCondor 23.9 and by us: the same text, the same
// value, or a difference with a reason.
// CREDMON_SEED and CREDMON_EXPRESSIONS choose other expressions and their number.
import { tmpdir } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import {
  allowedDifference,
  type Answer,
} from '@credmon/test-fixtures/languages/allowed-differences';
import { answersOfClassad2 } from '@credmon/test-fixtures/languages/classad2';
import { ourAnswer } from '@credmon/test-fixtures/languages/our-answer';
import {
  randomExpressions,
  type RandomExpression,
} from '@credmon/test-fixtures/languages/random-expressions';
import { randomPatterns } from '@credmon/test-fixtures/languages/random-patterns';
import { startNamespace, type Namespace } from '@credmon/test-fixtures/pool/namespace';
import { isPoolMissing, rootDirectory } from '@credmon/test-fixtures/pool/root-directory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const SEED = Number(process.env['CREDMON_SEED'] ?? 1);
const COUNT = Number(process.env['CREDMON_EXPRESSIONS'] ?? 40_000);

interface Compared extends RandomExpression {
  readonly theirs: Answer;
  readonly ours: Answer;
}

describe.skipIf(isPoolMissing())('random expressions', () => {
  let inside: Namespace;
  beforeAll(async () => {
    inside = await startNamespace(rootDirectory(tmpdir()).root);
  });
  afterAll(() => inside.remove());

  it('have the same text and value for HTCondor, but for the allowed differences', async () => {
    const all = await compared(inside, randomExpressions(SEED, COUNT));
    const valued = all.filter(({ theirs }) => typeof theirs === 'object');
    expect(valued.length).toBeGreaterThan(0.85 * COUNT);
    const crashed = all.filter(hasCrashed);
    expect(crashed.length).toBeLessThanOrEqual(0.05 * COUNT);
    const texts = await compared(inside, crashed.map(asText));
    expect(texts.filter(hasCrashed).length).toBeLessThanOrEqual(0.1 * texts.length);
    expectOnlyAllowed('expressions', [...all, ...texts]);
  });

  it('find the same with regular expressions', async () => {
    const all = await compared(inside, randomPatterns(SEED, COUNT / 2));
    expect(all.filter(hasCrashed)).toEqual([]);
    expectOnlyAllowed('regular expressions', all);
  });
});

function expectOnlyAllowed(what: string, all: readonly Compared[]): void {
  const different = all
    .filter(({ theirs, ours }) => !isDeepStrictEqual(theirs, ours))
    .map((one) => ({ ...one, reason: allowedDifference(one, one.theirs, one.ours) }));
  const reasons = different.flatMap(({ reason }) => reason ?? []);
  process.stdout.write(
    `classad2: ${all.length} ${what} compared (seed ${SEED}), ${summary(reasons)}`,
  );
  const faults = different.filter(({ reason }) => reason === undefined);
  const shown = faults.slice(0, 5).map((fault) => ({ seed: SEED, ...fault }));
  expect(shown, `${faults.length} differences without a reason`).toEqual([]);
}

async function compared(
  inside: Namespace,
  asked: readonly RandomExpression[],
): Promise<Compared[]> {
  const answers = await answersOfClassad2(inside, asked);
  expect(answers).toHaveLength(asked.length);
  return asked.map((one, at) => ({ ...one, theirs: answers[at], ours: ourAnswer(one) }));
}

const hasCrashed = ({ theirs }: Compared): boolean => theirs === 'crashed';

/** The module cannot return some lists and ads, but their text. */
function asText({ ad, target, expression, damaged }: Compared): RandomExpression {
  return { ad, target, expression: `string(${expression}\n)`, damaged };
}

/** How often each reason applied. */
function summary(reasons: readonly string[]): string {
  const lines = [...new Set(reasons)]
    .map((reason) => ({ reason, times: reasons.filter((other) => other === reason).length }))
    .sort((a, b) => b.times - a.times)
    .map(({ reason, times }) => `  ${times}: ${reason}\n`);
  return `${reasons.length} allowed differences\n${lines.join('')}`;
}
