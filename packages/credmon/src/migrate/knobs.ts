// What becomes of each knob of an older credmon's configuration (kept, renamed, replaced
// or dropped with a reason), and of the web server's lines of an older portal (mod_wsgi).
import changes from './knob-changes.json' with { type: 'json' };
import { type Config, type SetKnob, declarationFor, setKnobs } from '@credmon/core/config';

/** A line of the new configuration. */
export interface NewKnob {
  readonly name: string;
  readonly value: string;
}

/** An old knob with its fate. `secret`: the provider whose secret was in the configuration. */
export type Migrated =
  | { readonly kind: 'kept'; readonly knob: NewKnob }
  | { readonly kind: 'replaced'; readonly name: string; readonly value: string }
  | { readonly kind: 'secret'; readonly provider: string; readonly place: string }
  | {
      readonly kind: 'dropped';
      readonly name: string;
      readonly place: string;
      readonly why: string;
    }
  /** Not about credentials: it stays in its file. */
  | { readonly kind: 'other'; readonly name: string };

const renamed: ReadonlyMap<string, string> = new Map(Object.entries(changes.renamed));
const dropped: ReadonlyMap<string, string> = new Map(Object.entries(changes.dropped));
const suffixes: readonly (readonly [string, string])[] = Object.entries(changes.droppedSuffixes);

/** The password in `https://user:password@host/`. */
const PASSWORD_IN_URL = /:\/\/[^\s/?#@]*:[^\s/?#@]+@/;

/** Returns the fate of every knob that the files set, in the order of their lines. */
export function migratedKnobs(config: Config): Migrated[] {
  const lines = setKnobs(config).map((set) => ({ set, ...lineOf(config, set) }));
  lines.sort((a, b) => a.file - b.file || a.line - b.line);
  const found = lines.map(({ set }) => fateOf(config, set));
  // An old name beside its successor: the successor wins, as it does in the daemon.
  const names = new Set(lines.map(({ set }) => set.name.toUpperCase()));
  return found.filter(
    (one, index) =>
      one.kind !== 'kept' ||
      one.knob.name === lines[index]?.set.written ||
      !names.has(one.knob.name.toUpperCase()),
  );
}

function lineOf(config: Config, { written }: SetKnob): { file: number; line: number } {
  const origin = config.origin(written);
  return origin?.kind === 'file'
    ? { file: config.sources.indexOf(origin.file), line: origin.line }
    : { file: -1, line: 0 };
}

function fateOf(config: Config, { written, name, place }: SetKnob): Migrated {
  const upper = name.toUpperCase();
  const secret = /^(.+)_CLIENT_SECRET$/i.exec(name)?.[1];
  if (secret !== undefined) return { kind: 'secret', provider: secret, place };
  // The secret itself in place of its file.
  const file = /^(.+)_CLIENT_SECRET_FILE$/i.exec(name)?.[1];
  if (file !== undefined && !/^[/$]/.test((config.raw(written) ?? '').trim()))
    return { kind: 'secret', provider: file, place };
  const why = dropped.get(upper) ?? suffixes.find(([end]) => upper.endsWith(end))?.[1];
  if (why !== undefined) return { kind: 'dropped', name, place, why };
  const value = valueOf(config, written);
  if (PASSWORD_IN_URL.test(value) || PASSWORD_IN_URL.test(config.get(written) ?? ''))
    return { kind: 'dropped', name, place, why: 'its URL contains a password: write it by hand' };
  if (changes.replaced.includes(upper)) return { kind: 'replaced', name: upper, value };
  const successor = renamed.get(upper);
  if (successor !== undefined) return { kind: 'kept', knob: { name: successor, value } };
  if (changes.kept.includes(upper) || declarationFor(name) || /^(?:MAX_\w*)?CREDMON_/i.test(name))
    return { kind: 'kept', knob: { name: written, value } };
  if (/CREDMON/i.test(name))
    return { kind: 'dropped', name, place, why: 'no credmon program reads it' };
  return { kind: 'other', name };
}

/**
 * Returns the value as written, so that $(LOG) stays; expanded where it uses a macro of
 * the old files, which may not stay.
 */
function valueOf(config: Config, written: string): string {
  const raw = (config.raw(written) ?? '').trim();
  const macros = [...raw.matchAll(/\$\w*\(([\w.]+)/g)].map(([, macro = '']) => macro);
  const ofFile = macros.some((macro) => {
    const origin = config.origin(macro);
    return origin?.kind === 'file' && origin.template === undefined;
  });
  return ofFile ? (config.get(written) ?? '') : raw;
}

/** Where an older portal was served. */
export interface WsgiPortal {
  readonly file: string;
  /** The path below which it was served, without a slash at its end: often empty. */
  readonly path: string;
  readonly host: string | undefined;
  readonly port: string | undefined;
}

/** Returns the portal in the text of a file; `undefined` if it has no WSGIScriptAlias. */
export function wsgiPortalIn(file: string, text: string): WsgiPortal | undefined {
  const alias = /^[ \t]*WSGIScriptAlias[ \t]+(\S+)[ \t]/im.exec(text)?.[1];
  if (alias === undefined) return undefined;
  const port =
    /^[ \t]*<VirtualHost[ \t]+\S*:(\d+)[ \t]*>/im.exec(text)?.[1] ??
    /^[ \t]*Listen[ \t]+(?:\S+:)?(\d+)\b/im.exec(text)?.[1];
  return {
    file,
    path: alias.replace(/\/+$/, ''),
    host: /^[ \t]*ServerName[ \t]+(?:https?:\/\/)?([\w.-]+)/im.exec(text)?.[1],
    port: port === '443' ? undefined : port,
  };
}

/** Returns the URL of the portal for CREDMON_WEB_PREFIX. */
export function prefixOf({ host, port, path }: WsgiPortal): string {
  return `https://${host ?? '$(FULL_HOSTNAME)'}${port === undefined ? '' : `:${port}`}${path}`;
}

/** The directives that replace the WSGI lines; configs/apache has the whole file. */
export function proxyLines({ path }: WsgiPortal): readonly string[] {
  const backend = `unix:/run/condor_credmon_web.sock|http://condor-credmon-web${path}/`;
  return [
    'RequestHeader unset X-Forwarded-For early',
    'RequestHeader unset X-Remote-User early',
    'RequestHeader set X-Forwarded-Proto https',
    'ProxyPreserveHost On',
    `ProxyPass ${path}/ "${backend}" timeout=60`,
  ];
}

/** Names of the lines to remove, for a comment. */
export const WSGI_DIRECTIVES = 'WSGIDaemonProcess, WSGIProcessGroup, WSGIScriptAlias';
