// Adapts our log to Fastify. Only the texts of warnings and errors are logged, not the
// objects, which contain whole requests.
import type { FastifyBaseLogger } from 'fastify';
import type { Log } from '@credmon/core/log';

/**
 * Returns a Fastify logger that writes to `log`. Levels below warning are dropped,
 * because they may contain URLs with queries.
 */
export function fastifyLogger(log: Log): FastifyBaseLogger {
  const pass =
    (write: (message: string) => void) =>
    (...args: readonly unknown[]): void => {
      const text = args.find((part) => typeof part === 'string');
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
