// A fake pelican: `token fetch` prints the token in FAKE_PELICAN_TOKEN; without it, it
// fails as after a declined login.
import { appendFileSync } from 'node:fs';

const { FAKE_LOG: log, FAKE_PELICAN_TOKEN: token } = process.env;
if (log) appendFileSync(log, `${JSON.stringify(['pelican', ...process.argv.slice(2)])}\n`);
if (token) console.log(token);
else process.exitCode = 1;
