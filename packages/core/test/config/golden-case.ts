// Builds a recorded case in its own directory, and returns our result and that of
// HTCondor.
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { isCoded } from '../../src/base/errors/errors.ts';
import { type Config, expandMacroText, queryKnob } from '../../src/config/table/config.ts';
import { loadConfig } from '../../src/config/machine/load.ts';
import { parameter } from '../../src/config/typed/typed.ts';
import { encodeText } from '../../src/config/macros/text.ts';

interface Query {
  readonly name: string;
  readonly value?: string;
  readonly defined?: boolean;
  readonly raw: string | null;
  readonly crash?: boolean;
  readonly unstable?: boolean;
}

/** A recorded case in the format of the data. */
export interface Case {
  readonly id: string;
  readonly note?: string;
  readonly config: string;
  readonly files: Record<string, string>;
  readonly exe?: readonly string[];
  readonly dirs?: readonly string[];
  readonly env?: Record<string, string>;
  readonly subsystem?: string;
  readonly localname?: string;
  readonly unprivileged_user?: boolean;
  readonly expect: {
    readonly load: { readonly ok: boolean };
    readonly cache_file?: string | null;
    readonly queries?: readonly Query[];
    readonly macros?: readonly { readonly text: string; readonly value: string }[];
    readonly typed?: readonly {
      readonly name: string;
      readonly type: string;
      readonly value?: unknown;
    }[];
  };
}

/** The compared fields of our result and of the recorded one. */
interface Answers {
  readonly ok: boolean;
  readonly queries?: readonly unknown[];
  readonly macros?: readonly string[];
  readonly typed?: readonly unknown[];
  readonly cache?: string | null;
}

const PYTHON = { boolean: 'bool', integer: 'int', real: 'float', string: 'str' } as const;

type Fill = (text: string) => string;

/** Runs a case below `root`, with the case's directory as working directory. */
export function runCase(golden: Case, root: string): { got: Answers; wanted: Answers } {
  const directory = build(golden, root);
  const fill: Fill = (text) => text.replaceAll('{DIR}', directory);
  const config = load(golden, directory, fill);
  if (!config || !golden.expect.load.ok) {
    return { got: { ok: config !== undefined }, wanted: { ok: golden.expect.load.ok } };
  }
  const { queries = [], macros = [], typed = [], cache_file: cache } = golden.expect;
  const pairs = queries.map((query) => answer(config, query, fill));
  return {
    got: {
      ok: true,
      queries: pairs.map(([got]) => got),
      macros: macros.map(({ text }) => expandMacroText(config, fill(text))),
      typed: typed.map(({ name }) => typedValue(config, name)),
      ...(cache === undefined ? {} : { cache: keptFile(directory) }),
    },
    wanted: {
      ok: true,
      queries: pairs.map(([, wanted]) => wanted),
      macros: macros.map(({ value }) => fill(value)),
      typed: typed.map((one) => ({
        ...one,
        ...(typeof one.value === 'string' ? { value: fill(one.value) } : {}),
      })),
      ...(cache === undefined ? {} : { cache }),
    },
  };
}

function build(golden: Case, root: string): string {
  const directory = mkdtempSync(join(root, 'case-'));
  for (const name of golden.dirs ?? []) mkdirSync(join(directory, name), { recursive: true });
  for (const [name, text] of Object.entries(golden.files)) {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, encodeText(text.replaceAll('{DIR}', directory)));
    chmodSync(path, golden.exe?.includes(name) ? 0o755 : 0o644);
  }
  process.chdir(directory);
  return directory;
}

/** `undefined` if the configuration is rejected. */
function load(golden: Case, directory: string, fill: Fill): Config | undefined {
  const env = Object.entries(golden.env ?? {}).map(([name, value]) => [name, fill(value)] as const);
  try {
    return loadConfig({
      subsystem: golden.subsystem ?? 'TOOL',
      localName: golden.localname,
      env: {
        PATH: '/usr/bin:/bin',
        TZ: 'UTC',
        LC_ALL: 'C.UTF-8',
        HOME: `${directory}/env-home`,
        CONDOR_CONFIG: fill(golden.config),
        ...Object.fromEntries(env),
      },
      facts: { uid: golden.unprivileged_user ? 1000 : 0, home: `${directory}/home` },
    });
  } catch (error) {
    if (!isCoded(error)) throw error;
    if (golden.expect.load.ok) throw error;
    return undefined;
  }
}

/**
 * If HTCondor crashed or hung, any result or an exceeded limit is correct; if it was not
 * stable, the raw text is compared.
 */
function answer(config: Config, query: Query, fill: Fill): [unknown, unknown] {
  const raw = query.raw === null ? undefined : fill(query.raw);
  const wanted = {
    name: query.name,
    value: query.defined === false ? undefined : fill(query.value ?? ''),
    raw,
  };
  try {
    const got = { name: query.name, ...queryKnob(config, query.name) };
    return query.crash || query.unstable ? [got.raw, raw] : [got, wanted];
  } catch (error) {
    if (!query.crash || !isCoded(error, 'CONFIG_LIMIT')) throw error;
    return [config.raw(query.name), raw];
  }
}

function typedValue(config: Config, name: string): unknown {
  const got = parameter(config, name);
  return got ? { name, type: PYTHON[got.type], value: got.value } : { name, type: 'KeyError' };
}

function keptFile(directory: string): string | null {
  return readdirSync(directory).includes('cache')
    ? readFileSync(join(directory, 'cache'), 'utf8')
    : null;
}
