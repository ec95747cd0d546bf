// The decision of a daemon with a map file about a token.
import { describe, expect, it } from 'vitest';
import { parseMapFile } from '@credmon/core/classad';
import { explainMap, type MapQuestion } from '../../src/explain/ce-map.ts';
import type { Explanation } from '../../src/explain/step.ts';
import { readCompact } from '../../src/token/compact.ts';
import { signUnchecked } from '../../src/token/sign.ts';
import { EC, NOW } from '../testing.ts';

const MAP = [
  '# pilots',
  String.raw`SCITOKENS /^https:\/\/a\.test\/vo,pilot-(.*)$/ glidein_\1`,
  'SCITOKENS "https://b.test,joe" joe',
  'SCITOKENS "https://slash.test/,joe" joe',
  String.raw`SCITOKENS /^https:\/\/alone\.test$/ alone`,
  'SCITOKENS "https://c.test,x" PLUGIN:*',
  'SSL /.*/ nobody',
];
const CLAIMS = {
  iss: 'https://a.test/vo',
  sub: 'pilot-ce1',
  aud: 'ce.test:9619',
  'wlcg.ver': '1.0',
  scope: 'compute.read compute.modify compute.create compute.cancel',
  iat: 1_790_000_000,
  nbf: 1_790_000_000,
  exp: 1_790_000_600,
};

function explain(
  claims: object = {},
  changes: Partial<MapQuestion> = {},
  lines: readonly string[] = MAP,
): Explanation {
  return explainMap({
    token: readCompact(signUnchecked(EC, { ...CLAIMS, ...claims })),
    signature: { state: 'valid', algorithm: 'ES256' },
    now: NOW,
    map: parseMapFile(lines.join('\n')),
    file: 'map',
    ...changes,
  });
}

const shown = ({ steps, verdict }: Explanation): string[] => [
  ...steps.map(
    ({ step, state, text, place }) =>
      `${step} ${state}: ${text}${place === undefined ? '' : ` ${place.file}:${place.line}`}`,
  ),
  verdict,
];

describe('a map file', () => {
  it('maps a token: every step has its line', () => {
    const question = { audience: ['ce.test:9619'], operation: 'WRITE' };
    expect(shown(explain({}, question))).toEqual([
      'issuer ok: https://a.test/vo',
      'signature ok: valid, ES256',
      'profile ok: wlcg:1.0',
      'times ok: expires in 9m59s',
      'audience ok: ce.test:9619',
      'subject ok: pilot-ce1',
      'scopes ok: condor:/READ compute.modify:/ compute.create:/ compute.cancel:/ condor:/WRITE',
      'identity ok: https://a.test/vo,pilot-ce1',
      'user ok: glidein_ce1 map:2',
      'permits ok: WRITE',
      'accepted: the token is glidein_ce1',
    ]);
  });

  it.each<[string, object, Partial<MapQuestion>, string]>([
    [
      'without a line',
      { sub: 'x' },
      {},
      'user refused: no line of 5 matches: the token is not mapped',
    ],
    [
      'of another audience',
      {},
      { audience: ['x'] },
      `audience refused: the token's audience is "ce.test:9619", accepted is "x"`,
    ],
    ['without a subject', { sub: undefined }, {}, 'subject refused: sub is missing'],
    ['without an issuer', { iss: undefined }, {}, 'issuer refused: iss is missing or not a string'],
    ['expired', { exp: 1 }, {}, 'times refused: the token expired 1790000000 s ago'],
    [
      'with an invalid signature',
      {},
      { signature: { state: 'invalid', reason: 'bad' } },
      'signature refused: bad',
    ],
    [
      'without the authorization',
      { scope: 'compute.read compute.create' },
      { operation: 'WRITE' },
      'permits refused: no WRITE: the scopes give READ (needs compute.modify, compute.create and compute.cancel, or condor:/WRITE)',
    ],
    [
      'without any authorization',
      { scope: '' },
      { operation: 'READ' },
      'permits refused: no READ: the scopes give nothing',
    ],
  ])('refuses a token %s, and says why', (_title, claims, changes, step) => {
    const explanation = explain(claims, changes);
    expect([explanation.accepted, explanation.user]).toEqual([false, undefined]);
    expect(shown(explanation)).toContain(step);
    expect(explanation.verdict).toBe(`refused: the token (${step.split(' ')[0]})`);
  });

  it.each([
    [
      'https://slash.test',
      'joe',
      'a line matches an issuer that differs in the slash at its end: https://slash.test/',
      4,
    ],
    [
      'https://alone.test',
      'joe',
      'a line matches the issuer alone, without a comma and the subject',
      5,
    ],
  ])('names the line that nearly matches %s', (iss, sub, text, line) => {
    expect(explain({ iss, sub }).steps).toContainEqual({
      step: 'user',
      state: 'note',
      text,
      place: { file: 'map', line },
    });
  });

  it.each([
    [
      'a plugin',
      { iss: 'https://c.test', sub: 'x' },
      'user note: the user comes from a plugin of SEC_SCITOKENS_PLUGIN_NAMES',
    ],
    [
      'an audience that is not checked',
      {},
      'audience note: not checked: "ce.test:9619"; to check it, use --audience',
    ],
    [
      'scopes without an authorization',
      { scope: '' },
      'permits note: no condor:/READ or condor:/WRITE, and no compute scopes for them',
    ],
    ['a bad line', {}, 'map note: the line is ignored: three fields expected map:8'],
  ])('notes %s', (_title, claims, step) => {
    expect(shown(explain(claims, {}, [...MAP, 'SCITOKENS x']))).toContain(step);
  });

  it('without SCITOKENS lines maps nothing', () => {
    expect(shown(explain({}, {}, ['SSL /.*/ x']))).toContain(
      'user refused: the file has no SCITOKENS line: the token is not mapped',
    );
  });

  it('says plainly that a signature was not checked', () => {
    const signature = { state: 'not checked', reason: 'no keys' } as const;
    expect(explain({}, { signature })).toMatchObject({
      accepted: true,
      signature: 'not checked',
      verdict: 'accepted: the token is glidein_ce1, if the signature is valid: it was not checked',
    });
  });
});
