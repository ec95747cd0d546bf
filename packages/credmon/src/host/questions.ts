// Questions to a person at a terminal: lines, and secrets without echo. Standard output
// stays for results.
import { createInterface } from 'node:readline';
import { isatty } from 'node:tty';
import { CodedError, STDERR, printable, writeOutput } from '@credmon/core/base';

/** Asks a person. */
export interface Questions {
  /** Returns the line without its end; `undefined` when the input ends. */
  line(question: string): Promise<string | undefined>;
  /**
   * Like `line`, but what is typed is not shown.
   * @throws CodedError `USAGE` after Ctrl-C
   */
  secret(question: string): Promise<string | undefined>;
}

/** Returns whom to ask, or `undefined` unless a person can see and answer questions. */
export function findPerson(): Questions | undefined {
  return process.stdin.isTTY && isatty(STDERR) ? { line, secret } : undefined;
}

const prompt = (question: string): void => void writeOutput(STDERR, printable(question));

function line(question: string): Promise<string | undefined> {
  prompt(question);
  return new Promise((resolve) => {
    let answer: string | undefined;
    // Without an output the terminal itself shows what is typed.
    const reader = createInterface({ input: process.stdin, terminal: false });
    reader.once('line', (text) => {
      answer = text.trim();
      reader.close();
    });
    reader.once('close', () => resolve(answer));
  });
}

/** What a terminal sends in raw mode. */
const [CTRL_C, CTRL_D, CTRL_U, CTRL_Z] = ['\u0003', '\u0004', '\u0015', '\u001A'];
const [BACKSPACE, DELETE] = ['\b', '\u007F'];

/** Signals that end the process in raw mode; at SIGINT and SIGTERM, Node leaves that mode. */
const ENDING = ['SIGHUP', 'SIGQUIT'] as const;

function secret(question: string): Promise<string | undefined> {
  const { stdin } = process;
  // First, so that nothing that is typed early is shown.
  stdin.setRawMode(true);
  prompt(question);
  stdin.setEncoding('utf8').resume();
  return new Promise((resolve, reject) => {
    let typed = '';
    const die = (signal: NodeJS.Signals): void => end(() => void process.kill(process.pid, signal));
    // Its default action stops this process, unless no shell could continue it.
    const stop = (): void => {
      stdin.setRawMode(false);
      process.off('SIGTSTP', stop);
      process.kill(process.pid, 'SIGTSTP');
      process.on('SIGTSTP', stop);
      stdin.setRawMode(true);
    };
    // The shell has the terminal in its own mode meanwhile; Node sets only another mode.
    const continued = (): void => {
      stdin.setRawMode(false);
      stdin.setRawMode(true);
      prompt(question);
    };
    for (const signal of ENDING) process.on(signal, die);
    process.on('SIGTSTP', stop).on('SIGCONT', continued);
    const end = (settle: () => void): void => {
      stdin.setRawMode(false);
      for (const signal of ENDING) process.off(signal, die);
      process.off('SIGTSTP', stop).off('SIGCONT', continued);
      stdin.pause().off('data', read);
      prompt('\n');
      settle();
    };
    const read = (text: string): void => {
      for (const character of text) {
        if (character === '\r' || character === '\n') return end(() => resolve(typed));
        if (character === CTRL_D) return end(() => resolve(undefined));
        if (character === CTRL_C)
          return end(() => reject(new CodedError('USAGE', 'interrupted: nothing was written')));
        if (character === CTRL_Z) process.kill(process.pid, 'SIGTSTP');
        else if (character === CTRL_U) typed = '';
        else if (character === BACKSPACE || character === DELETE) typed = typed.replace(/.$/su, '');
        else typed += character;
      }
      return undefined;
    };
    stdin.on('data', read);
  });
}
