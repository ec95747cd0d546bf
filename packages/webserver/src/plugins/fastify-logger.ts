// Fastify's logger over ours: only the texts of warnings and errors pass, never the
// objects, which hold whole requests.
import type { FastifyBaseLogger } from 'fastify';
import type { Log } from '@credmon/core/log';

/**
 * A logger for Fastify that hands texts to `log`. Its other lines, which may name URLs
 * with their queries, are dropped.
 */
export function fastifyLogger(log: Log): FastifyBaseLogger {
  const pass =
    (write: (message: string) => void) =>
    (...said: readonly unknown[]): void => {
      const text = said.find((part) => typeof part === 'string');
      if (text !== undefined) write(text.split('?', 1)[0] ?? '');
    };
  const drop = (): void => undefined;
  const logger: FastifyBaseLogger = {
    level: 'info',
    info: drop,
    warn: pass((text) => log.warn(text)),
    error: pass((text) => log.error(text)),
    fatal: pass((text) => log.error(text)),
    debug: drop,
    trace: drop,
    silent: drop,
    child: () => logger,
  };
  return logger;
}
