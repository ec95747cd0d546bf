// The signals of the daemon: SIGHUP reloads, SIGTERM, SIGINT and SIGQUIT end it.

/**
 * What signals do: `wake` on SIGHUP, `stop` on the first of SIGTERM, SIGINT and SIGQUIT,
 * `die` on the second.
 */
export interface SignalActions {
  readonly wake: () => void;
  readonly stop: (signal: string) => void;
  readonly die: (signal: string) => void;
}

/**
 * Prevents SIGHUP from killing the process until {@link handleSignals} handles it. The
 * returned function ends this, and returns whether a SIGHUP came.
 */
export function holdHangup(): () => boolean {
  let came = false;
  const note = (): void => {
    came = true;
  };
  process.on('SIGHUP', note);
  return () => {
    process.off('SIGHUP', note);
    return came;
  };
}

/**
 * Installs the handlers and returns a function that removes them. Must run before
 * `writePid`, because CredD signals the process in the pid file. After the removal SIGHUP
 * is ignored: it must not kill the process before it exits with its code.
 */
export function handleSignals(actions: SignalActions): () => void {
  let stopping = false;
  const ending = (signal: string): void => {
    if (stopping) actions.die(signal);
    stopping = true;
    actions.stop(signal);
  };
  const handlers = {
    SIGHUP: actions.wake,
    SIGTERM: ending,
    SIGINT: ending,
    SIGQUIT: ending,
  } as const;
  for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler);
  return () => {
    process.on('SIGHUP', () => undefined);
    for (const [signal, handler] of Object.entries(handlers)) process.off(signal, handler);
  };
}
