// What the log has said already: a change is said, a repetition is not, and a recurrence
// after recovery is.
import { describe, expect, it } from 'vitest';
import { createRounds, createLogOnce } from '../../src/report/log-once.ts';

describe('the last message about a subject', () => {
  const steps = (most?: number) => {
    const said = createLogOnce(most);
    const lines: string[] = [];
    const once = (about: string, key: string): void =>
      said.once(about, key, () => lines.push(`${about} ${key}`));
    return { said, lines, once };
  };

  it('R44 is logged again only when it changes', () => {
    const { lines, once } = steps();
    for (const key of ['a', 'a', 'b', 'b', 'a']) once('x', key);
    once('y', 'a');
    expect(lines).toEqual(['x a', 'x b', 'x a', 'y a']);
  });

  it('R44 is logged again if the subject recovered meanwhile', () => {
    const { said, lines, once } = steps();
    once('x', 'a');
    said.forget('x');
    said.forget('never said');
    once('x', 'a');
    expect(lines).toEqual(['x a', 'x a']);
  });

  it('is forgotten for subjects that are gone', () => {
    const { said, once } = steps();
    for (const about of ['x', 'y', 'z']) once(about, 'a');
    said.keepOnly((about) => about !== 'y');
    expect(said.size).toBe(2);
  });

  it('is limited in number: the oldest is forgotten first', () => {
    const { said, lines, once } = steps(2);
    for (const about of ['x', 'y', 'x', 'z', 'x', 'y']) once(about, 'a');
    expect([said.size, lines]).toEqual([2, ['x a', 'y a', 'z a', 'y a']]);
  });
});

describe('problems by rounds', () => {
  /** The texts of each round; `undefined` ends it. */
  function saidOf(most: number, ...texts: readonly (string | undefined)[]): string[] {
    const rounds = createRounds(most);
    const lines: string[] = [];
    for (const text of texts)
      if (text === undefined) rounds.end((count) => lines.push(`${count} more`));
      else rounds.once(text, () => lines.push(text));
    return lines;
  }
  const end = undefined;

  it.each([
    ['once while every round reports it', 9, ['a', 'a', end, 'a', end, 'a', end], ['a']],
    ['R44 again after a round that did not meet it', 9, ['a', end, end, 'a', end], ['a', 'a']],
    ['with others', 9, ['a', end, 'b', 'a', end, 'b', end, 'a'], ['a', 'b', 'a']],
    [
      'up to a limit, then the number of the others',
      1,
      ['a', 'b', 'c', end, 'a', 'b', 'c', end],
      ['a', '2 more'],
    ],
    [
      'the number of the others again after a round without',
      1,
      ['a', 'b', end, end, 'a', 'b', end],
      ['a', '1 more', 'a', '1 more'],
    ],
  ])('are said %s', (_, most, texts, expected) => {
    expect(saidOf(most, ...texts)).toEqual(expected);
  });
});
