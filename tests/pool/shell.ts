// Files of a machine, and commands of a page in its shell: by copy and paste, as root or
// as a user.
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Namespace } from '@credmon/test-fixtures/pool/namespace';

/** What commands have printed, on both outputs, and the exit code of the last one. */
export interface Typed {
  readonly code: number;
  readonly output: string;
}

/** The shell of a machine. */
export interface Shell {
  /** Writes a file inside, by default for root to write and everybody to read. */
  readonly write: (path: string, text: string, mode?: number) => void;
  /** Reads a file inside. */
  readonly read: (path: string) => string;
  /**
   * Types commands in the home directory of `user` (root); they end at the first that
   * fails. `answers` is their standard input, by default a yes to apt-get's question.
   */
  readonly typed: (commands: string, user?: string, answers?: string) => Promise<Typed>;
  /**
   * As `typed`; returns the output.
   * @throws Error with all that was printed if a command failed
   */
  readonly must: (commands: string, user?: string, answers?: string) => Promise<string>;
}

/** Returns the shell of a machine, which may start later. */
export function shellOf(machine: () => Namespace): Shell {
  const write: Shell['write'] = (path, text, mode = 0o644) => {
    mkdirSync(dirname(machine().path(path)), { recursive: true });
    writeFileSync(machine().path(path), text);
    chmodSync(machine().path(path), mode);
  };
  const read: Shell['read'] = (path) => readFileSync(machine().path(path), 'utf8');
  const typed: Shell['typed'] = async (commands, user = 'root', answers = 'y\n') => {
    const home = user === 'root' ? '/root' : `/home/${user}`;
    // What they start keeps running, so their output is a file.
    const words = `cd ${home} && exec bash -euo pipefail /tmp/commands > /tmp/output 2>&1 < /tmp/answers`;
    write('/tmp/commands', commands);
    write('/tmp/output', '', 0o666);
    write('/tmp/answers', answers);
    const { code } = await machine().run(['/bin/bash', '-c', words], { user });
    return { code: code ?? -1, output: read('/tmp/output') };
  };
  const must: Shell['must'] = async (...parts) => {
    const { code, output } = await typed(...parts);
    if (code !== 0) throw new Error(`${parts[0]}ended with ${code}:\n${output}`);
    return output;
  };
  return { write, read, typed, must };
}
