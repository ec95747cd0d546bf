// The demo as a program, bundled to test-fixtures/dist/demo.js. scripts/demo.mjs runs it.
import { fileURLToPath } from 'node:url';
import { demoArguments } from './arguments.ts';
import { runAutomatically } from './auto.ts';
import { runForHuman } from './live.ts';
import { runPoolAutomatically, runPoolForHuman } from './pool-journey.ts';
import { setPoolStage } from './pool-stage.ts';
import { setStage } from './stage.ts';

/** Relative to the bundle. */
const root = fileURLToPath(new URL('../..', import.meta.url));

type Run = (
  wanted: { readonly auto: boolean; readonly ttl: number },
  stop: AbortSignal,
  print: (line: string) => void,
) => Promise<void>;

const runSimulated: Run = async ({ auto, ttl }, stop, print) => {
  print(`Starting an issuer (access tokens live ${ttl} s), the web server and the daemon...`);
  const stage = await setStage(root, ttl);
  try {
    if (auto) await runAutomatically(stage, ttl, stop, print);
    else
      await runForHuman(stage, stop, {
        rewrite: process.stdout.isTTY,
        write: (text) => void process.stdout.write(text),
      });
  } finally {
    await stage.clear();
  }
};

const runPool: Run = async ({ auto, ttl }, stop, print) => {
  const stage = await setPoolStage(root, ttl, { stop, print });
  try {
    await (auto ? runPoolAutomatically : runPoolForHuman)(stage, { stop, print });
  } finally {
    print('\nEnding the pool...');
    await stage.clear();
  }
};

async function main(): Promise<number> {
  const wanted = demoArguments(process.argv.slice(2));
  if (wanted.kind === 'text') {
    (wanted.exitCode === 0 ? process.stdout : process.stderr).write(`${wanted.text}\n`);
    return wanted.exitCode;
  }
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => stop.abort());
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  const began = performance.now();
  try {
    await (wanted.pool ? runPool : runSimulated)(wanted, stop.signal, print);
  } catch (error) {
    // After Ctrl-C in a terminal, processes also end by themselves.
    if (stop.signal.aborted && wanted.auto) throw new Error('interrupted', { cause: error });
    if (!stop.signal.aborted) throw error;
  }
  print(
    wanted.auto
      ? `demo: all of this held, in ${Math.round((performance.now() - began) / 1000)} s`
      : 'demo: ended, nothing is left behind',
  );
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
