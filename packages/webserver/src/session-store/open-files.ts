// The names in the session directory as this process knows them, so that a new session does
// not read the whole directory.
import { lstatSync, readdirSync, unlinkSync } from 'node:fs';
import { type Clock, systemCode } from '@credmon/core/base';
import { ownerTag } from '../flow/context.ts';

/** The kinds of files in the directory, besides the cookie key. */
export type SessionFileKind = 'session' | 'flow' | 'answer';

/** Maximum number of files in a small directory, which is read once a second. */
const FEW = 100;

/**
 * Seconds until the names in a small and in a larger directory are read again. Until
 * then, the limits do not count files that other processes create.
 */
const REREAD_SECONDS = { few: 1, many: 60 };

/** The files of a session directory, by owner and kind. */
export interface OpenFiles {
  /** Returns the names of the files of one kind and of the owner of an id, until they change. */
  ownOf(id: string, kind: SessionFileKind): ReadonlySet<string>;
  /** Returns the number of files of one kind, at the time of the last {@link ownOf}. */
  count(kind: SessionFileKind): number;
  /** True if a file of this name is known. */
  has(name: string): boolean;
  /** Reads the directory again. */
  lookAgain(): void;
  /** Notes a file, and the time of a use (epoch seconds). */
  add(name: string, usedAt: number): void;
  /** Removes a file, if it exists. `seen`: it was seen a moment ago. */
  remove(name: string, seen?: boolean): void;
  /** Returns a time (epoch milliseconds) since which the file was used; 0 if none is known. */
  usedSince(name: string): number;
  /** Notes the time of a use. */
  noteUse(name: string, time: number): void;
  /** The flow that this process created last, at `at` (epoch seconds). */
  newest: { readonly flow: string; readonly at: number } | undefined;
}

const NONE: ReadonlySet<string> = new Set();

/** Opens the names of `directory`; it is read at the first question. */
export function openFilesOf(directory: string, clock: Pick<Clock, 'steady'>): OpenFiles {
  let known = new Map<string, Set<string>>();
  let counts = new Map<string, number>();
  let readAt = -Infinity;
  const uses = new Map<string, number>();
  const change = (name: string, present: boolean): void => {
    const kind = kindOf(name);
    if (kind === undefined) return;
    const group = groupOf(name, kind);
    const names = known.get(group) ?? new Set();
    if (names.has(name) === present) return;
    if (present) known.set(group, names.add(name));
    else if (names.delete(name) && names.size === 0) known.delete(group);
    counts.set(kind, (counts.get(kind) ?? 0) + (present ? 1 : -1));
  };
  const look = (): void => {
    const now = clock.steady();
    let total = 0;
    for (const count of counts.values()) total += count;
    const { few, many } = REREAD_SECONDS;
    if (Math.abs(now - readAt) < (total > FEW ? many : few)) return;
    [known, counts, readAt] = [new Map(), new Map(), now];
    const names = readdirSync(directory);
    for (const name of names) change(name, true);
    if (uses.size > 2 * names.length) uses.clear();
  };
  return {
    newest: undefined,
    ownOf: (id, kind) => (look(), known.get(ownerTag(id) + kind) ?? NONE),
    count: (kind) => counts.get(kind) ?? 0,
    has: (name) => known.get(groupOf(name, kindOf(name)))?.has(name) === true,
    lookAgain() {
      readAt = -Infinity;
      look();
    },
    add(name, usedAt) {
      change(name, true);
      uses.set(name, usedAt * 1000);
    },
    usedSince: (name) => uses.get(name) ?? 0,
    noteUse: (name, time) => void uses.set(name, time),
    remove(name, seen = false) {
      change(name, false);
      uses.delete(name);
      const path = `${directory}/${name}`;
      // An error of the system is much dearer than a look.
      if (!seen && lstatSync(path, { throwIfNoEntry: false }) === undefined) return;
      try {
        unlinkSync(path);
      } catch (error) {
        if (systemCode(error) !== 'ENOENT') throw error;
      }
    },
  };
}

const TAG_LENGTH = 16;

const groupOf = (name: string, kind = ''): string => name.slice(0, TAG_LENGTH) + kind;

/** Where the dot is: after the tag, a hyphen and 64 hex digits. */
const DOT = TAG_LENGTH + 1 + 64;
const KINDS: readonly string[] = ['session', 'flow', 'answer'] satisfies SessionFileKind[];

/** Returns the kind in a name that this portal has made; `undefined` for another name. */
function kindOf(name: string): string | undefined {
  if (name[TAG_LENGTH] !== '-' || name[DOT] !== '.') return undefined;
  const kind = name.slice(DOT + 1);
  return KINDS.includes(kind) ? kind : undefined;
}
