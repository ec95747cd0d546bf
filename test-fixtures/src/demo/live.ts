// The demo with a user: prints the link, then a table of the tokens until Ctrl-C.
import { observe } from './observer.ts';
import { checkAlive, type Stage } from './stage.ts';
import { tableLines } from './table.ts';

/** The output of the table; with `rewrite`, the previous table is overwritten. */
export interface Screen {
  readonly rewrite: boolean;
  write(text: string): void;
}

/**
 * Shows the tokens until `stop`.
 * @throws Error if a process has ended by itself
 */
export async function runForHuman(stage: Stage, stop: AbortSignal, screen: Screen): Promise<void> {
  screen.write(
    [
      'Hello, alice. Your job needs tokens, as condor_submit would tell you.',
      'Please visit:',
      `  ${stage.keyFile.url}`,
      'The provider asks for no password: press "Log in" there.',
      '',
      `Credential directory: ${stage.workspace.credentialDirectory}`,
      'Ctrl-C ends the demo and leaves nothing behind.',
      '',
      '',
    ].join('\n'),
  );
  const observer = observe(stage.tokens);
  let drawn = 0;
  let shown = '';
  while (!stop.aborted) {
    checkAlive(stage);
    const now = Date.now() / 1000;
    const sightings = observer.look(now);
    const lines = tableLines(sightings, now);
    // Without a terminal, the table is printed only after a change.
    const news = screen.rewrite
      ? lines.join()
      : sightings.map(({ there, renewals }) => `${there} ${renewals}`).join();
    if (news !== shown) {
      const up = screen.rewrite && drawn > 0 ? `\u001b[${drawn}A` : '';
      const clear = screen.rewrite ? '\u001b[K' : '';
      screen.write(`${up}${lines.map((line) => `${line}${clear}\n`).join('')}`);
      drawn = lines.length;
      shown = news;
    }
    await pause(0.25, stop);
  }
}

function pause(seconds: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      stop.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, seconds * 1000);
    stop.addEventListener('abort', finish, { once: true });
  });
}
