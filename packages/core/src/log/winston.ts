// winston with one transport, which stays while its destinations change.
import winston, { type Logger } from 'winston';
import Transport from 'winston-transport';
import type { Sink } from './rotating-file.ts';

/** The input of a transport of winston. */
interface Entry {
  readonly level: string;
  readonly message: unknown;
}

/** The transport. Winston waits for ever for a transport that has thrown: sinks never throw. */
export class Lines extends Transport {
  #sinks: readonly Sink[];

  constructor(sinks: readonly Sink[]) {
    super();
    this.#sinks = sinks;
  }

  moved(): boolean {
    return this.#sinks.some((sink) => sink.moved());
  }

  replaceSinks(sinks: readonly Sink[]): void {
    const before = this.#sinks;
    this.#sinks = sinks;
    for (const sink of before) sink.close();
  }

  /** Writes a line; returns whether the first destination, the file if any, took it. */
  put(level: string, text: string): boolean {
    const [first] = this.#sinks.map((sink) => sink.write(level, text));
    return first === true;
  }

  override log({ level, message }: Entry, next: () => void): void {
    this.put(level, String(message));
    next();
  }

  override close(): void {
    this.replaceSinks([]);
  }
}

/** Winston makes JSON of each line without a format, which no sink uses. */
const AS_IT_IS = winston.format((entry) => entry);

/** Creates a logger of winston that writes to these sinks. */
export function createWinston(
  sinks: readonly Sink[],
  level: string,
): { readonly logger: Logger; readonly lines: Lines } {
  const lines = new Lines(sinks);
  return {
    logger: winston.createLogger({ level, format: AS_IT_IS(), transports: [lines] }),
    lines,
  };
}
