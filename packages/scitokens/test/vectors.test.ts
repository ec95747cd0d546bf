// The recorded results of three independent verifiers, and the result of this library for
// the same tokens.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { isCoded } from '@credmon/core/base';
import { enforce, fixedKeys, readKeySet, verify } from '../src/index.ts';

interface Vector {
  readonly name: string;
  readonly note: string;
  readonly issuer: string;
  readonly audience: string;
  readonly authz: string;
  readonly path: string;
  readonly token: string;
  readonly verdicts: Readonly<Record<string, { readonly verify: boolean; readonly test: boolean }>>;
}

const file = fileURLToPath(
  new URL('../../../test-fixtures/data/scitokens/vectors.json', import.meta.url),
);
const { jwks, vectors } = JSON.parse(readFileSync(file, 'utf8')) as {
  jwks: Record<string, unknown>;
  vectors: Vector[];
};
const keys = fixedKeys(
  new Map(Object.entries(jwks).map(([issuer, set]) => [issuer, readKeySet(set)])),
);

/**
 * The cases in which this library is deliberately stricter than scitokens-cpp 1.4.1;
 * docs/decisions.md has the reasons.
 */
const STRICTER: Readonly<Record<string, { readonly verify: boolean; readonly test: boolean }>> = {
  'header-crit': { verify: false, test: false },
  whitespace: { verify: false, test: false },
  'no-nbf': { verify: false, test: false },
  'scope-40': { verify: true, test: false },
};

function theirs({ verdicts }: Vector): { verify: boolean; test: boolean } {
  const { verify, test } = verdicts['scitokens-cpp-newer'] ?? { verify: false, test: false };
  return { verify, test };
}

async function judge(vector: Vector): Promise<{ verify: boolean; test: boolean }> {
  const verdict = { verify: false, test: false };
  try {
    const token = await verify(vector.token, {
      keys,
      issuers: [vector.issuer],
      now: 1_790_000_000,
    });
    verdict.verify = true;
    verdict.test = enforce(token, { audience: vector.audience }).test(vector.authz, vector.path);
  } catch (error) {
    if (!isCoded(error)) throw error;
  }
  return verdict;
}

describe('the recorded vectors', () => {
  it.each(vectors.map((vector) => [vector.name, vector.note, vector] as const))(
    '%s: %s',
    async (name, _note, vector) => {
      expect(await judge(vector)).toEqual(STRICTER[name] ?? theirs(vector));
    },
  );

  it('differ from scitokens-cpp 1.4.1 only where this library rejects more', () => {
    const lenient = vectors.filter((vector) => {
      const ours = STRICTER[vector.name] ?? theirs(vector);
      return (ours.verify && !theirs(vector).verify) || (ours.test && !theirs(vector).test);
    });
    expect(lenient).toEqual([]);
    expect(
      Object.keys(STRICTER).filter((name) => !vectors.some((vector) => vector.name === name)),
    ).toEqual([]);
  });
});
