// A fake htgettoken: writes a Vault token to --vaulttokenfile, prints the URL for
// --showbearerurl and writes a bearer token to --outfile, from FAKE_VAULT. It fails where
// htgettoken 1.17 to 2.5 fails or waits for ever (their source, htgettoken/__init__.py).
import { appendFileSync, writeFileSync } from 'node:fs';

const args = process.argv.slice(2);
const { FAKE_LOG: log, FAKE_VAULT: vault = '{}' } = process.env;
if (log) appendFileSync(log, `${JSON.stringify(['htgettoken', ...args])}\n`);
const { token, url, exit = 0 } = JSON.parse(vault);
const option = (name) =>
  args.findLast((arg) => arg.startsWith(`--${name}=`))?.slice(`--${name}=`.length);

/** Why the real program cannot log in with these options; empty if it can. */
function problem() {
  const file = option('vaulttokenfile') ?? '/tmp/vt';
  if (/^\/dev\/(?:std|fd)/.test(option('vaulttokeninfile') ?? file))
    return 'would wait for ever for a Vault token in its own output';
  if (args.includes('--nobearertoken'))
    return 'would not notice that the refresh token in the Vault is missing or dead';
  return '';
}

process.stderr.write('Attempting to get token\n');
const why = problem();
if (why !== '') {
  process.stderr.write(`htgettoken: ${why}\n`);
  process.exitCode = 1;
} else {
  if (exit === 0) {
    writeFileSync(option('vaulttokenfile'), `${token}\n`, { flag: 'a' });
    if (args.includes('--showbearerurl')) writeFileSync('/dev/stdout', `${url}\n`, { flag: 'a' });
    writeFileSync(option('outfile'), 'CANARY-bearer-token\n', { flag: 'a' });
  }
  process.exitCode = exit;
}
