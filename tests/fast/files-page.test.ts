// docs/files.md is made from the names in the code and from the declarations of knobs; the
// pages that it leads to have every file of their directories.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { expect, it } from 'vitest';
import { KNOBS } from '../../packages/core/src/config/typed/declarations.ts';
import * as names from '../../packages/core/src/credential/file-names.ts';
import {
  tokenFileName,
  type TokenFileKind,
} from '../../packages/core/src/credential/file-names.ts';
import { defaultCell } from '../../packages/core/test/config/knob-page.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8');
const page = `${root}docs/files.md`;

/** Mode, who writes it, contents. */
type Facts = readonly [mode: string, by: string, contents: string];

const OF_TOKENS: Readonly<Record<TokenFileKind, Facts>> = {
  top: [
    '0400',
    'portal, CredD; daemon',
    'the refresh token, with the scopes and the audience as requested',
  ],
  use: ['0400', 'portal; daemon', 'the access token that jobs get'],
  meta: ['0400', 'portal', 'the client that obtained the token'],
  renewal: ['0600', 'daemon', 'the last failed renewal and the next attempt; no secret'],
  issued: ['0600', 'portal; daemon', 'times and scopes of a bare token; no secret'],
};

/** The other names of the credential directory, by the constants of the code. */
const OTHERS: Readonly<Record<string, Facts>> = {
  COMPLETE_FILE: ['0644', 'daemon', 'CredD waits for this file'],
  PID_FILE: ['0644', 'daemon', 'the process that CredD signals'],
  LOCK_FILE: ['0600', 'daemon', 'only one daemon uses the directory. Never remove it'],
  RESERVE_FILE: [
    '0600',
    'daemon',
    'disk space for refresh tokens when the disk is full. Never remove it',
  ],
};

/** Names that CredD gives. */
const OF_CREDD: readonly (readonly [string, Facts])[] = [
  [
    '64 hex digits',
    ['0640', 'CredD; the portal removes it', "the key file: CredD's request for sign-ins"],
  ],
  ['`USER.mark`', ['', 'CredD', 'the user has no jobs any more: the directory is removed later']],
];

/** Knobs that name files although their type is another one. */
const ALSO = new Set([
  'LOCAL_CONFIG_DIR',
  'LOCAL_CONFIG_FILE',
  'USER_CONFIG_FILE',
  'CREDMON_RUN_DIR',
]);

/** The owner and the mode that the programs ask for, or give. */
function modeOf(knob: string): string {
  if (knob.endsWith('PUBLIC_KEY')) return '0644';
  if (/(?:SECRET|PASSWORD|KEY)_FILE$|PRIVATE_KEY$/.test(knob)) return '0600';
  if (knob.endsWith('SESSION_DIR')) return '0700, condor';
  if (knob === 'CREDMON_AUDIT_LOG') return '0640';
  if (knob === 'CREDMON_RUN_DIR') return '0755';
  if (knob === 'CREDMON_LOCAL_KEY_DIRECTORY') return '0711';
  if (knob === 'SEC_CREDENTIAL_DIRECTORY_OAUTH') return '2770, root:condor';
  return '';
}

const line = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');

function credentialRows(): string[][] {
  const tokens = Object.entries(OF_TOKENS).map(([kind, facts]) => [
    `\`USER/${tokenFileName('S', kind as TokenFileKind)}\``,
    ...facts,
  ]);
  const others = Object.entries(OTHERS).map(([constant, facts]) => {
    const name: unknown = Object.entries(names).find(([one]) => one === constant)?.[1];
    return [`\`${String(name)}\``, ...facts];
  });
  return [...tokens, ...others, ...OF_CREDD.map(([name, facts]) => [name, ...facts])];
}

function knobRows(): string[][] {
  return Object.entries(KNOBS)
    .filter(([name, knob]) => knob.type === 'path' || ALSO.has(name))
    .map(([name, knob]) => {
      const value = defaultCell(knob).replaceAll(/[^\s;,]*[/$][^\s;,]*/g, '`$&`');
      return [`\`${name}\``, value, modeOf(name), knob.help];
    });
}

const pageText = (): string => `# Files

<!-- made from the code: UPDATE_DOCS=1 npx vitest run tests/fast/files-page -->

Every file that the programs read or write. \`S\` is the service, or the service and the handle as \`service_handle\`.

## Credential directory

The knob is \`SEC_CREDENTIAL_DIRECTORY_OAUTH\`. CredD owns the directory; only root and the condor account can enter it.

${table(['file', 'mode', 'written by', 'contents'], credentialRows())}

## Files that knobs name

\`condor_credmon init\` writes \`/etc/condor/config.d/60-credmon.conf\` (mode 0644) and the client secret, by default \`/etc/condor/.secrets/NAME\` (mode 0600). [Knobs](knobs.md) has
the rest of each knob.

${table(['knob', 'default', 'mode, owner', 'contents'], knobRows())}

## Users' own view

The knob is \`CREDMON_RUN_DIR\`. [What users see](admin-guide.md#what-users-see-and-may-ask-for) has the table of its directories.

## Portal

The knob is \`CREDMON_WEB_SESSION_DIR\`. [What is on disk](web.md#what-is-on-disk) has the table.

## Logs

Logs have HTCondor's format, or JSON lines with \`CREDMON_LOG_FORMAT = json\`. They never contain a token or a secret. The audit log has one JSON object for each sign-in, renewal,
revocation, removal and issued token.

## Installed files

[Install](install.md#debian-and-ubuntu) lists the paths of the packages. \`npm run install-to\` prints every path.
`;

it('every name of the credential directory in the code is on the page', () => {
  const constants = Object.keys(names).filter((name) => name.endsWith('_FILE'));
  expect(Object.keys(OTHERS).sort()).toEqual(constants.sort());
});

/** The texts in single quotes behind a constant of a source file. */
function quoted(path: string, constant: RegExp): string[] {
  const [, values = ''] = constant.exec(read(path)) ?? [];
  return [...values.matchAll(/'([^']+)'/g)].map(([, text = '']) => text);
}

it.each([
  [
    'docs/admin-guide.md',
    'packages/credmon/src/host/run-directory.ts',
    /^const \[STATUS, .*\] = (.*);$/m,
  ],
  [
    'docs/admin-guide.md',
    'packages/credmon/src/host/run-directory.ts',
    /^const HEARTBEAT = (.*);$/m,
  ],
  [
    'docs/web.md',
    'packages/webserver/src/session-store/open-files.ts',
    /^export type SessionFileKind = (.*);$/m,
  ],
  [
    'docs/web.md',
    'packages/webserver/src/session-store/session-directory.ts',
    /^const COOKIE_KEY_FILE = (.*);$/m,
  ],
  [
    'docs/web.md',
    'packages/webserver/src/session-store/running-portal.ts',
    /^const FILE = (.*);$/m,
  ],
])('the table of %s has the names of %s, %s', (where, source, constant) => {
  const found = quoted(source, constant);
  expect(found).not.toEqual([]);
  const rows = read(where)
    .split('\n')
    .filter((one) => one.startsWith('|'));
  expect(found.filter((name) => !rows.some((row) => row.split('|')[1]?.includes(name)))).toEqual(
    [],
  );
});

it('docs/files.md is made from them (UPDATE_DOCS=1 writes it again)', async () => {
  const options = await resolveConfig(page);
  const wanted = await format(pageText(), { ...options, parser: 'markdown' });
  if (process.env['UPDATE_DOCS']) writeFileSync(page, wanted);
  expect(readFileSync(page, 'utf8')).toBe(wanted);
});
