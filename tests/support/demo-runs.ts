// The demo as a process with a temporary directory of its own, and what it leaves behind.
import { startProcess, type Child } from '@credmon/test-fixtures/processes/processes';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Demos that share a temporary directory. */
export interface DemoRuns {
  readonly temporary: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Starts scripts/demo.mjs with `args`. */
  readonly demo: (...args: string[]) => Child;
  /** Living processes that have the temporary directory in their arguments or environment. */
  readonly processes: () => { readonly pid: string; readonly line: string }[];
  readonly remove: () => void;
}

/** Creates the temporary directory; `root` is the repository. */
export function createDemoRuns(
  root: string,
  more: Readonly<Record<string, string>> = {},
): DemoRuns {
  const temporary = mkdtempSync(join(tmpdir(), 'credmon-demo-'));
  const environment = {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? temporary,
    TMPDIR: temporary,
    NPM_CONFIG_UPDATE_NOTIFIER: 'false',
    ...more,
  };
  return {
    temporary,
    environment,
    demo: (...args) =>
      startProcess(process.execPath, [join(root, 'scripts/demo.mjs'), ...args], environment),
    processes: () =>
      readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .flatMap((pid) => {
          const [line, variables] = [textOf(pid, 'cmdline'), textOf(pid, 'environ')];
          return `${line}${variables}`.includes(temporary)
            ? [{ pid, line: line.replaceAll('\0', ' ') }]
            : [];
        }),
    remove: () => rmSync(temporary, { recursive: true, force: true }),
  };
}

/** Empty if the process has ended while we looked. */
function textOf(pid: string, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}

/** `exit 0`, or how else it ended and what it had said. */
export async function outcome(child: Child): Promise<string> {
  const { code, signal } = await child.exited;
  return code === 0 ? 'exit 0' : `exit ${code ?? signal}\n${child.output}`;
}
