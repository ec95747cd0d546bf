// Searches for secrets in output, log files and pages.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Secrets by the name that a failed test may show. */
export type Secrets = Readonly<Record<string, string>>;

/**
 * Returns the secrets in the texts as `name in where`. Also finds URL-encoded, base64 and
 * base64url text.
 */
export function findSecrets(secrets: Secrets, texts: Readonly<Record<string, string>>): string[] {
  return Object.entries(texts).flatMap(([where, text]) =>
    Object.entries(secrets)
      .filter(([, secret]) => disguises(secret).some((disguise) => text.includes(disguise)))
      .map(([name]) => `${name} in ${where}`),
  );
}

/** Returns the contents of all files below `directory`, by relative path. */
export function textsBelow(directory: string): Record<string, string> {
  if (!existsSync(directory)) return {};
  const entries = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  return Object.fromEntries(
    entries
      .filter((name) => statSync(join(directory, name)).isFile())
      .map((name) => [name, readFileSync(join(directory, name), 'utf8')]),
  );
}

function disguises(secret: string): string[] {
  if (secret.length < 8) throw new Error('a secret of less than 8 characters is found by chance');
  const bytes = Buffer.from(secret);
  return [
    secret,
    encodeURIComponent(secret),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
  ];
}
