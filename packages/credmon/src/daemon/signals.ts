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
 * Keeps SIGHUP from ending the process until {@link handleSignals} handles it. The
 * returned function ends that, and says whether one came.
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
 * Installs the handlers; must happen before `writePid`, because CredD signals the process
 * that the file names. Returns their removal, after which SIGHUP is ignored: there is
 * nothing left to reload, and it must not kill the process before its exit code.
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
