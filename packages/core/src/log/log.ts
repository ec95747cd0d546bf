// What the parts of a program see of its log: four levels, one line each.

/** A log. Lines hold no secret; `debug` shows with D_FULLDEBUG or `--debug`. */
export interface Log {
  error(text: string): void;
  warn(text: string): void;
  info(text: string): void;
  debug(text: string): void;
}
