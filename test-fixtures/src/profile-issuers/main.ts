// An issuer of a profile as a program, bundled to test-fixtures/dist/profile-issuer.js: to
// try a page of docs/providers without an account there.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startProfileIssuer } from './profile-issuer.ts';
import { ISSUERS } from './issuers.ts';

const USAGE = `npm run issuer -- NAME REDIRECT_URI [--client-id ID] [--secret-file FILE] [--scopes LIST]

Answers on loopback as an issuer does: users are signed in at once.
  NAME           ${Object.keys(ISSUERS).join(', ')}
  --client-id    the client (condor)
  --secret-file  a file with its secret (else: secret)
  --scopes       the scopes that the client may ask for (else: all)`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      'client-id': { type: 'string' },
      'secret-file': { type: 'string' },
      scopes: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const [name = '', redirectUri] = positionals;
  const answers = ISSUERS[name];
  if (!answers || redirectUri === undefined) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  const file = values['secret-file'];
  const started = await startProfileIssuer(answers, {
    client: {
      clientId: values['client-id'] ?? 'condor',
      clientSecret: file === undefined ? 'secret' : readFileSync(file, 'utf8').trimEnd(),
      redirectUris: [redirectUri],
      ...(values.scopes === undefined ? {} : { scopes: values.scopes.split(/[\s,]+/) }),
    },
  });
  const { url, issuer, endpoints } = started;
  const lines = issuer === undefined ? Object.entries(endpoints) : [['issuer', issuer]];
  for (const [what, value] of [['listens on', url], ...lines])
    process.stdout.write(`${what}: ${value}\n`);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  await new Promise<void>((resolve) => {
    for (const signal of signals) process.on(signal, () => resolve());
  });
  await started.close();
  return 0;
}

process.exitCode = await main();
