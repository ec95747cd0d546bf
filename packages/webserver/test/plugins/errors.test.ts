// The lines of Fastify in our log, and the references of requests.
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fastifyLogger, makeReferences } from '../../src/plugins/errors.ts';

describe("Fastify's logger", () => {
  it('R43 logs the texts of warnings and errors without queries, and no objects', () => {
    const lines: string[] = [];
    const write = (level: string) => (text: string) => void lines.push(`${level} ${text}`);
    const log = fastifyLogger({
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      debug: write('debug'),
    });
    const child = log.child({ reqId: 'canary' });
    child.warn({ req: { url: '/return?code=canary' } }, 'a warning');
    child.error('Route GET:/return?code=canary not found');
    child.fatal({ err: new Error('canary') });
    for (const level of ['info', 'debug', 'trace'] as const) child[level]('canary');
    expect(lines).toEqual(['warn a warning', 'error Route GET:/return']);
  });
});

describe('references', () => {
  it('are 12 hex digits each, and no two are the same, however many there are', () => {
    const reference = makeReferences((bytes) => randomBytes(bytes));
    const all = new Set(Array.from({ length: 2000 }, reference));
    expect(all.size).toBe(2000);
    expect([...all].filter((one) => !/^[0-9a-f]{12}$/.test(one))).toEqual([]);
  });
});
