// Runs a program that the configuration includes: no shell, a time limit, a limit on what
// it prints.
import { spawnSync } from 'node:child_process';
import { systemCode } from '../../base/errors/errors.ts';
import { LIMITS } from '../macros/limits.ts';
import type { CommandResult } from '../syntax/reading.ts';

/**
 * Runs `command`, its first word the program, for at most `seconds`; what it prints is
 * kept, its errors are not.
 */
export function runProgram(command: readonly string[], seconds: number): CommandResult {
  const [program, ...words] = command;
  if (program === undefined) return { kind: 'missing', reason: 'no program is named' };
  const result = spawnSync(program, words, {
    timeout: seconds * 1000,
    killSignal: 'SIGKILL',
    maxBuffer: LIMITS.sourceBytes,
    stdio: ['ignore', 'pipe', 'ignore'],
    shell: false,
  });
  const code = systemCode(result.error);
  if (code === 'ETIMEDOUT')
    return { kind: 'stopped', reason: `it did not end within ${seconds} s` };
  if (code === 'ENOBUFS')
    return { kind: 'stopped', reason: `it printed more than ${LIMITS.sourceBytes} bytes` };
  if (result.error) return { kind: 'missing', reason: code ?? result.error.message };
  return { kind: 'done', output: result.stdout, status: result.status ?? 128 };
}
