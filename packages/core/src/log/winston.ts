// winston in front, and behind it one transport that stays while the places that it
// writes to change.
import winston, { type Logger } from 'winston';
import Transport from 'winston-transport';
import type { Sink } from './sink.ts';

/** What winston hands to a transport. */
interface Entry {
  readonly level: string;
  readonly message: unknown;
}

/** The transport. Winston waits for ever for a transport that has thrown: sinks never do. */
export class Lines extends Transport {
  #sinks: readonly Sink[];

  constructor(sinks: readonly Sink[]) {
    super();
    this.#sinks = sinks;
  }

  moved(): boolean {
    return this.#sinks.some((sink) => sink.moved());
  }

  turnTo(sinks: readonly Sink[]): void {
    const before = this.#sinks;
    this.#sinks = sinks;
    for (const sink of before) sink.close();
  }

  override log({ level, message }: Entry, next: () => void): void {
    for (const sink of this.#sinks) sink.write(level, String(message));
    next();
  }

  override close(): void {
    this.turnTo([]);
  }
}

/** A logger of winston's over these sinks. */
export function createWinston(
  sinks: readonly Sink[],
  level: string,
): { readonly logger: Logger; readonly lines: Lines } {
  const lines = new Lines(sinks);
  return { logger: winston.createLogger({ level, transports: [lines] }), lines };
}
