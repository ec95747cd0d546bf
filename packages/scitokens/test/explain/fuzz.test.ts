// Arbitrary configurations and claims: an explanation is always made, and ends in a
// decision that its steps support.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseMapFile } from '@credmon/core/classad';
import { explainMap } from '../../src/explain/name-mapfile.ts';
import { readXrootdConfig } from '../../src/explain/xrootd-config.ts';
import { explainXrootd } from '../../src/explain/xrootd.ts';
import { readCompact, type CompactToken } from '../../src/token/compact.ts';
import { signUnchecked } from '../../src/token/sign.ts';
import { EC, NOW } from '../testing.ts';

const RUNS = { numRuns: 1000 };
const signature = { state: 'valid', algorithm: 'ES256' } as const;
const text = fc.string({ unit: 'binary', maxLength: 40 });
const line = fc.oneof(
  text,
  fc.constantFrom('[Global]', '[Issuer a]', '[Issuer b]', 'issuer = i', 'base_path = /a, /b'),
  fc
    .tuple(
      fc.constantFrom('audience', 'audience_json', 'onmissing', 'restricted_path', 'name_mapfile'),
      fc.oneof(text, fc.json(), fc.constantFrom('allow', 'm')),
    )
    .map(([name, value]) => `${name} = ${value}`),
);
const claims = fc.record(
  {
    iss: fc.oneof(fc.constant('i'), fc.jsonValue()),
    sub: fc.jsonValue(),
    aud: fc.jsonValue(),
    scope: fc.oneof(text, fc.constantFrom('read:/a write:/b', 'storage.create:/'), fc.jsonValue()),
    ver: fc.constantFrom('scitoken:2.0', 'x', 1),
    'wlcg.groups': fc.jsonValue(),
  },
  { requiredKeys: [] },
);
const tokenOf = (changes: object): CompactToken =>
  readCompact(signUnchecked(EC, { iat: 1, nbf: 1, exp: 4_000_000_000, ...changes }));

describe('an explanation is made', () => {
  it('for arbitrary XRootD configurations, map files and claims', () => {
    const property = fc.property(
      fc.array(line, { maxLength: 12 }),
      fc.oneof(text, fc.json()),
      claims,
      text,
      fc.constantFrom('read', 'write', 'stat'),
      (lines, map, changes, path, operation) => {
        const config = readXrootdConfig(lines.join('\n'), 'f', () => map);
        const asked = { token: tokenOf(changes), signature, now: NOW, config };
        const { accepted, steps } = explainXrootd({ ...asked, request: { path, operation } });
        const isRefused = steps.some(({ state }) => state === 'refused');
        return accepted ? !isRefused || config.onMissing.value === 'allow' : isRefused;
      },
    );
    expect(fc.check(property, RUNS)).toMatchObject({ failed: false });
  });

  it('for arbitrary map files of HTCondor and claims', () => {
    const entry = fc.oneof(
      text,
      text.map((principal) => `SCITOKENS /${principal}/ \\1`),
    );
    const property = fc.property(fc.array(entry), claims, (lines, changes) => {
      const map = parseMapFile(lines.join('\n'));
      const explanation = explainMap({
        token: tokenOf(changes),
        signature,
        now: NOW,
        map,
        file: 'f',
      });
      return explanation.accepted === explanation.steps.every(({ state }) => state !== 'refused');
    });
    expect(fc.check(property, RUNS)).toMatchObject({ failed: false });
  });
});
