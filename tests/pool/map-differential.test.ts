// Random map files, answered by userMap() of HTCondor 23.9 and by ours.
// CREDMON_SEED and CREDMON_MAPS choose other maps and their number.
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import {
  evaluate,
  parseAd,
  parseExpression,
  parseMapFile,
  textOf,
  userMapOf,
} from '@credmon/core/classad';
import {
  randomMaps,
  type MapQuestion,
  type RandomMap,
} from '@credmon/test-fixtures/languages/random-maps';
import { startNamespace, type Namespace } from '@credmon/test-fixtures/pool/namespace';
import { isPoolMissing, rootDirectory } from '@credmon/test-fixtures/pool/root-directory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const SEED = Number(process.env['CREDMON_SEED'] ?? 1);
const MAPS = Number(process.env['CREDMON_MAPS'] ?? 500);
const QUESTIONS = 20;
/** Maps for one run of condor_status. */
const AT_ONCE = 50;
const CRASHED = 'crashed';

/** In each form of userMap(): the whole list, the preferred item, with a fallback. */
const FORMS = ['userMap(M, In)', 'userMap(M, In, Best)', 'userMap(M, In, Best, Else)'];
const RECORD = '<#>';
const SEPARATOR = '<|>';

/** HTCondor reads memory that it has freed: it crashes, or prints bytes that are no text. */
const isDamaged = (answer: string): boolean => answer === CRASHED || answer.includes('\ufffd');

/** The text of a value that HTCondor prints. */
const plain = (value: string): string =>
  value.startsWith('"') ? value.slice(1, -1).replaceAll('\\"', '"').trimEnd() : value;

const quoted = (text: string): string => `"${text.replaceAll(/["\\]/g, '\\$&')}"`;

describe.skipIf(isPoolMissing())('random map files', () => {
  let inside: Namespace;
  beforeAll(async () => {
    inside = await startNamespace(rootDirectory(tmpdir()).root);
  });
  afterAll(() => inside.remove());

  it('map names as condor_status maps them', async () => {
    const maps = randomMaps(SEED, MAPS, QUESTIONS);
    mkdirSync(inside.path('/tmp/maps'));
    const theirs: string[] = [];
    for (let at = 0; at < maps.length; at += AT_ONCE)
      theirs.push(...(await answersOfCondorStatus(inside, maps.slice(at, at + AT_ONCE))));
    const asked = maps.flatMap((map) => map.questions.map((question) => ({ map, question })));
    expect(theirs).toHaveLength(asked.length);
    const ours = ourAnswers(maps);
    const different = asked.flatMap(({ map, question }, index) =>
      isDamaged(theirs[index] ?? CRASHED) || theirs[index] === ours[index]
        ? []
        : [
            {
              seed: SEED,
              text: map.text,
              prefix: map.prefix,
              ...question,
              theirs: theirs[index],
              ours: ours[index],
            },
          ],
    );
    expect(theirs.filter((answer) => !answer.startsWith('undefined')).length).toBeGreaterThan(
      asked.length / 5,
    );
    const damaged = theirs.filter(isDamaged).length;
    expect(damaged).toBeLessThan(0.02 * asked.length);
    expect(different.slice(0, 5), `${different.length} of ${asked.length}`).toEqual([]);
  });
});

async function answersOfCondorStatus(
  inside: Namespace,
  maps: readonly RandomMap[],
): Promise<string[]> {
  const knobs = maps.map(({ name, text, prefix }) => {
    writeFileSync(inside.path(`/tmp/maps/${name}`), text);
    return (
      `CLASSAD_USER_MAPFILE_${name} = /tmp/maps/${name}\n` +
      `CLASSAD_USER_MAP_PREFIX_${name} = ${prefix}\n`
    );
  });
  const names = maps.map(({ name }) => name).join(' ');
  writeFileSync(
    inside.path('/tmp/maps.conf'),
    `LOG = /tmp\nNETWORK_HOSTNAME = vm\nTOOL_CLASSAD_USER_MAP_NAMES = ${names}\n${knobs.join('')}`,
  );
  const questions = maps.flatMap((map) => map.questions);
  writeFileSync(inside.path('/tmp/maps.ads'), questions.map(adOf).join('\n'));
  const { code, stdout } = await inside.run(
    [
      'condor_status',
      '-ads',
      '/tmp/maps.ads',
      '-af:V',
      quoted(RECORD),
      'Id',
      quoted(SEPARATOR),
      ...FORMS.flatMap((form) => [form, quoted(SEPARATOR)]),
    ],
    { environment: { CONDOR_CONFIG: '/tmp/maps.conf', LC_ALL: 'C.UTF-8' } },
  );
  if (code !== 0) {
    // HTCondor ended with a signal: find the map that it cannot read.
    const half = Math.ceil(maps.length / 2);
    if (maps.length === 1) return questions.map(() => CRASHED);
    return [
      ...(await answersOfCondorStatus(inside, maps.slice(0, half))),
      ...(await answersOfCondorStatus(inside, maps.slice(half))),
    ];
  }
  // condor_status sorts.
  const answers: string[] = questions.map(() => CRASHED);
  for (const record of stdout.split(quoted(RECORD)).slice(1)) {
    const [index, ...values] = record.split(` ${quoted(SEPARATOR)}`).map((value) => value.trim());
    answers[Number(index)] = values.slice(0, FORMS.length).map(plain).join(SEPARATOR);
  }
  return answers;
}

const adOf = ({ map, input, preferred, fallback }: MapQuestion, index: number): string =>
  `MyType = "Machine"\nName = "${map}.${index}"\nId = ${index}\nM = ${quoted(map)}\nIn = ${quoted(input)}\n` +
  `Best = ${quoted(preferred)}\nElse = ${quoted(fallback)}\n`;

function ourAnswers(maps: readonly RandomMap[]): string[] {
  const userMap = userMapOf(
    new Map(maps.map(({ name, text, prefix }) => [name, parseMapFile(text, { prefix })])),
  );
  return maps.flatMap(({ questions }) =>
    questions.map((question, index) => {
      const my = parseAd(`[${adOf(question, index).trimEnd().replaceAll('\n', ';')}]`);
      return FORMS.map((form) => {
        const value = evaluate(parseExpression(form), { my, now: 0, userMap });
        return value.type === 'string' ? textOf(value.value) : value.type;
      }).join(SEPARATOR);
    }),
  );
}
