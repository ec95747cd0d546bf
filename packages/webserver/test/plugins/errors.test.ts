// The lines of Fastify in our log.
import { describe, expect, it } from 'vitest';
import { fastifyLogger } from '../../src/plugins/errors.ts';

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
