// Random configuration files, answered by condor_config_val in the pool's root directory
// and by us. CREDMON_SEED repeats one run; a failure prints file and answers.
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isCoded } from '@credmon/core/base';
import { loadConfig, queryKnob } from '@credmon/core/config';
import { allowedConfigDifference } from '@credmon/test-fixtures/languages/allowed-config-differences';
import { randomConfiguration } from '@credmon/test-fixtures/languages/random-configurations';
import { startNamespace, type Namespace } from '@credmon/test-fixtures/pool/namespace';
import { isPoolMissing, rootDirectory } from '@credmon/test-fixtures/pool/root-directory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const FILES = Number(process.env['CREDMON_CONFIG_FILES'] ?? 2000);
const FIRST_SEED = Number(process.env['CREDMON_SEED'] ?? 23_090_600);
const SEPARATOR = '====';
const HUNG = 'condor_config_val hangs or crashes on a value without an end';

/**
 * Asks for each name of each file, values and raw texts. Where a macro fails, HTCondor
 * 23.9 ends with status 4: then it is asked for each name alone. Where a value has no end,
 * it hangs, or crashes.
 */
const ASK = `cd /tmp/configurations
file=\${1%.names}
{ read -r subsystem; read -r localName; mapfile -t names; } < "$1"
options=()
[ -n "$subsystem" ] && options+=(-subsystem "$subsystem")
[ -n "$localName" ] && options+=(-local-name "$localName")
export CONDOR_CONFIG=/tmp/configurations/$file.conf
ask() { timeout 3 condor_config_val "\${options[@]}" "$@" 2>> "$file.errors"; }
questions=()
for name in "\${names[@]}"; do questions+=("$name" ZZ_SEPARATOR); done
ask -raw "\${questions[@]}" > "$file.raw"
ask "\${questions[@]}" > "$file.values"
status=$?
if [ $status -ge 124 ]; then
  echo "<hung>" > "$file.values"
elif [ $status -ge 2 ]; then
  for name in "\${names[@]}"; do
    ask "$name"
    [ $? -ge 2 ] && echo "<failed>"
    echo "${SEPARATOR}"
  done > "$file.values"
fi
exit 0`;

describe.skipIf(isPoolMissing())('condor_config_val and our configuration language', () => {
  let space: Namespace;
  beforeAll(async () => {
    space = await startNamespace(rootDirectory(tmpdir()).root);
    mkdirSync(space.path('/tmp/configurations'));
  });
  afterAll(() => space.remove());

  it(`agree about ${FILES} random files from seed ${FIRST_SEED}`, async () => {
    const here = mkdtempSync(join(tmpdir(), 'credmon-configurations-'));
    const cases = Array.from({ length: FILES }, (_, index) => {
      const made = randomConfiguration(FIRST_SEED + index);
      const text = `${made.text}ZZ_SEPARATOR = ${SEPARATOR}\n`;
      const name = String(index).padStart(5, '0');
      const list = [made.subsystem, made.localName, ...made.names].join('\n');
      writeFileSync(space.path(`/tmp/configurations/${name}.conf`), text);
      writeFileSync(space.path(`/tmp/configurations/${name}.names`), `${list}\n`);
      writeFileSync(join(here, `${name}.conf`), text);
      return { ...made, name };
    });
    writeFileSync(space.path('/tmp/ask.sh'), ASK);
    const all = 'cd /tmp/configurations && printf "%s\\0" *.names';
    await space.must(['/bin/bash', '-c', `${all} | xargs -0 -n 1 -P 2 /bin/bash /tmp/ask.sh`]);

    const reasons = new Map<string, number>();
    const differences: object[] = [];
    let compared = 0;
    for (const { name, text, names, subsystem, localName } of cases) {
      const read = (kind: string): string =>
        readFileSync(space.path(`/tmp/configurations/${name}.${kind}`), 'utf8');
      const values = read('values').split(`${SEPARATOR}\n`);
      const raws = read('raw').split(`${SEPARATOR}\n`);
      const rejected = raws.length <= 1;
      if (values[0] === '<hung>\n') {
        reasons.set(HUNG, (reasons.get(HUNG) ?? 0) + names.length);
        compared += names.length;
        continue;
      }
      const ours = ourAnswers(join(here, `${name}.conf`), names, subsystem, localName);
      names.forEach((knob, index) => {
        const theirs = rejected
          ? undefined
          : { value: lineEnd(values[index]), raw: lineEnd(raws[index]) };
        const own = ours?.[index];
        compared += 1;
        if (JSON.stringify(theirs) === JSON.stringify(own)) return;
        const reason = allowedConfigDifference({ errors: read('errors'), theirs, ours: own });
        if (reason === undefined)
          differences.push({ seed: FIRST_SEED + Number(name), text, knob, theirs, ours: own });
        else reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      });
    }
    console.log(`${compared} knobs compared`, Object.fromEntries(reasons));
    expect(differences.slice(0, 5)).toEqual([]);
    expect(compared).toBe(FILES * 8);
  });
});

/** Without the last line end; an empty value is one that is not defined. */
const lineEnd = (text = ''): string => text.replace(/\n$/, '');

/** Undefined if the file is rejected. */
function ourAnswers(
  path: string,
  names: readonly string[],
  subsystem: string,
  localName: string,
): readonly { readonly value: string; readonly raw: string }[] | undefined {
  try {
    const config = loadConfig({
      subsystem: subsystem === '' ? 'TOOL' : subsystem,
      localName: localName === '' ? undefined : localName,
      env: { CONDOR_CONFIG: path, PATH: '/usr/bin:/bin', HOME: '/root' },
      facts: { uid: 0, home: '/root' },
    });
    return names.map((name) => ({
      value: valueOf(() => queryKnob(config, name).value),
      raw: config.raw(name) ?? '',
    }));
  } catch (error) {
    if (!isCoded(error)) throw error;
    return undefined;
  }
}

function valueOf(query: () => string | undefined): string {
  try {
    return query() ?? '';
  } catch (error) {
    if (!isCoded(error)) throw error;
    return `<${error.code}>`;
  }
}
