// Which lines of a source count: the if, elif, else and endif that are open.
import { LIMITS } from '../macros/limits.ts';
import type { Statement } from './statements.ts';

interface Frame {
  readonly outer: boolean;
  active: boolean;
  taken: boolean;
  afterElse: boolean;
}

/** The open conditionals of one source. */
export interface IfStack {
  /** True while lines are read. */
  readonly active: boolean;
  readonly depth: number;
  /**
   * Applies a conditional statement; `decide` is asked only where the answer matters.
   * Returns what is wrong, if anything is.
   */
  apply(statement: Statement, decide: (condition: string) => boolean): string | undefined;
}

/** An empty stack. */
export function createIfStack(): IfStack {
  const frames: Frame[] = [];
  const isActive = (): boolean => frames.at(-1)?.active ?? true;
  const open = (condition: string, decide: (condition: string) => boolean): string | undefined => {
    if (frames.length >= LIMITS.ifDepth) return 'if nesting too deep!';
    const outer = isActive();
    const active = outer && decide(condition);
    frames.push({ outer, active, taken: active, afterElse: false });
    return undefined;
  };
  return {
    get active() {
      return isActive();
    },
    get depth() {
      return frames.length;
    },
    apply: (statement, decide) => {
      if (statement.kind === 'if') return open(statement.condition, decide);
      const frame = frames.at(-1);
      if (!frame) return `${statement.kind} without matching if`;
      if (statement.kind === 'endif') return void frames.pop();
      if (frame.afterElse) return `${statement.kind} after else`;
      frame.afterElse = statement.kind === 'else';
      const wanted = frame.outer && !frame.taken;
      frame.active = wanted && (statement.kind !== 'elif' || decide(statement.condition));
      frame.taken ||= frame.active;
      return undefined;
    },
  };
}
