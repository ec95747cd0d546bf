// A fake condor_store_cred with CredD: add-oauth and query-oauth on the directory in
// FAKE_CREDENTIAL_DIRECTORY, for the user FAKE_USER, with the option -P of HTCondor 25.14.
// The pool's HTCondor 23.9 has none: tests/pool/device-login.test.ts.
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const {
  FAKE_CREDENTIAL_DIRECTORY: directory = '',
  FAKE_USER: user = 'alice',
  FAKE_LOG: log,
} = process.env;
const [action = '', ...rest] = process.argv.slice(2);
const { values } = parseArgs({
  args: rest,
  options: {
    service: { type: 'string', short: 's', default: '' },
    handle: { type: 'string', short: 'H', default: '' },
    scopes: { type: 'string', short: 'S', default: '' },
    audience: { type: 'string', short: 'A', default: '' },
    input: { type: 'string', short: 'i', default: '' },
    plain: { type: 'boolean', short: 'P', default: false },
    name: { type: 'string', short: 'n' },
    user: { type: 'string', short: 'u' },
  },
});
if (log)
  appendFileSync(log, `${JSON.stringify(['condor_store_cred', ...process.argv.slice(2)])}\n`);
const stem = values.handle === '' ? values.service : `${values.service}_${values.handle}`;
const file = join(directory, user, `${stem}.${values.plain ? 'use' : 'top'}`);

function query() {
  if (!existsSync(file)) return 1;
  const { scopes = '', audience = '' } = JSON.parse(readFileSync(file, 'utf8'));
  return scopes === values.scopes && audience === values.audience ? 0 : 2;
}

function add() {
  if (values.input !== '-' || process.env.FAKE_STORE_FAILS) return 1;
  let text = readFileSync(0, 'utf8');
  if (values.scopes !== '' || values.audience !== '') {
    const { scopes, audience } = values;
    text = `${JSON.stringify({ ...JSON.parse(text), ...(scopes && { scopes }), ...(audience && { audience }) })}\n`;
  }
  mkdirSync(join(directory, user), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.tmp`, text, { mode: 0o600 });
  renameSync(`${file}.tmp`, file);
  return 0;
}

process.exitCode = action === 'query-oauth' ? query() : action === 'add-oauth' ? add() : 1;
