// A fake htgettoken: writes a Vault token to --vaulttokenfile and prints the URL for
// --showbearerurl, both from FAKE_VAULT.
import { appendFileSync, writeFileSync } from 'node:fs';

const args = process.argv.slice(2);
const { FAKE_LOG: log, FAKE_VAULT: vault = '{}' } = process.env;
if (log) appendFileSync(log, `${JSON.stringify(['htgettoken', ...args])}\n`);
const { token, url, exit = 0 } = JSON.parse(vault);
process.stderr.write('Attempting to get token\n');
if (exit === 0) {
  const file = args
    .find((arg) => arg.startsWith('--vaulttokenfile='))
    ?.slice('--vaulttokenfile='.length);
  writeFileSync(file, `${token}\n`, { flag: 'a' });
  if (args.includes('--showbearerurl')) writeFileSync('/dev/stdout', `${url}\n`, { flag: 'a' });
}
process.exitCode = exit;
