// The flow as a fold of events: what each event changes, and what it must not change.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FlowEvent } from '../../src/flow/flow-value.ts';
import { foldFlow, isComplete, liveLogins, openAnswers, withStored } from '../../src/flow/flow.ts';

const opened: FlowEvent = {
  type: 'opened',
  at: 100,
  key: 'ab'.repeat(32),
  localUser: 'alice',
  tokens: [
    { provider: 'a', handle: '' },
    { provider: 'b', handle: '' },
  ],
};
const begun = (state: string, stem = 'a', at = 101): FlowEvent => ({
  type: 'begun',
  at,
  state,
  stem,
  verifier: `v-${state}`,
});
const returned = (state: string, attempt: string): FlowEvent => ({
  type: 'returned',
  at: 102,
  state,
  attempt,
});
const completed = (state: string): FlowEvent => ({
  type: 'completed',
  at: 103,
  state,
  missing: [],
  renewable: true,
});
const failed = (state: string): FlowEvent => ({
  type: 'failed',
  at: 103,
  state,
  code: 'LOGIN_REFUSED',
});
const states = (events: readonly FlowEvent[]): readonly (string | undefined)[] =>
  foldFlow(events)?.tokens.map(({ state }) => state.kind) ?? [];

describe('a flow', () => {
  it('begins with all tokens waiting', () => {
    expect(foldFlow([opened])).toEqual({
      openedAt: 100,
      key: 'ab'.repeat(32),
      localUser: 'alice',
      tokens: [
        { provider: 'a', handle: '', stem: 'a', state: { kind: 'waiting' } },
        { provider: 'b', handle: '', stem: 'b', state: { kind: 'waiting' } },
      ],
      logins: [],
      pending: [],
      settled: [],
      finished: [],
    });
  });

  it.each([
    ['a login alone changes nothing', [opened, begun('s')], ['waiting', 'waiting']],
    [
      'a completed login signs its token in',
      [opened, begun('s', 'b'), completed('s')],
      ['waiting', 'signed-in'],
    ],
    ['a failed login is shown', [opened, begun('s'), failed('s')], ['failed', 'waiting']],
    [
      'a failure can be fixed',
      [opened, begun('s'), failed('s'), begun('t'), completed('t')],
      ['signed-in', 'waiting'],
    ],
    [
      'a failure does not undo a success',
      [opened, begun('s'), begun('t'), completed('s'), failed('t')],
      ['signed-in', 'waiting'],
    ],
    [
      'an unknown state changes nothing',
      [opened, completed('x'), failed('y')],
      ['waiting', 'waiting'],
    ],
    [
      'a state works once',
      [opened, begun('s'), failed('s'), completed('s')],
      ['failed', 'waiting'],
    ],
    [
      'a second opening changes nothing',
      [opened, { ...opened, localUser: 'bob', tokens: [] }],
      ['waiting', 'waiting'],
    ],
    ['nothing happens before the opening', [begun('s'), completed('s')], []],
  ] as const)('R36 %s', (_title, events, expected) => {
    expect(states(events)).toEqual(expected);
  });

  it('R23 R36 the first of several returns with one state claims it', () => {
    const flow = foldFlow([
      opened,
      begun('s'),
      begun('t', 'b'),
      returned('s', 'one'),
      returned('s', 'two'),
    ]);
    expect(flow?.logins.map(({ state, claimedBy }) => [state, claimedBy])).toEqual([
      ['s', 'one'],
      ['t', undefined],
    ]);
  });

  it('removes the verifier of a finished login, and keeps its state', () => {
    const flow = foldFlow([opened, begun('s'), completed('s')]);
    expect(flow?.finished).toEqual(['s']);
    expect(JSON.stringify(flow)).not.toContain('v-s');
  });

  it.each([
    ['a stored token counts, even of another session', [opened], ['b'], ['waiting', 'signed-in']],
    [
      'a failure does not undo a stored token',
      [opened, begun('s'), failed('s')],
      ['a'],
      ['signed-in', 'waiting'],
    ],
    [
      'a removed token is waiting again',
      [opened, begun('s'), completed('s')],
      [],
      ['waiting', 'waiting'],
    ],
  ] as const)('%s', (_title, events, stored: readonly string[], expected) => {
    const flow = foldFlow(events);
    expect(
      flow &&
        withStored(flow, (stem) => stored.includes(stem)).tokens.map(({ state }) => state.kind),
    ).toEqual(expected);
  });

  const held = (state: string, answer = `answer-${state}`): FlowEvent => ({
    type: 'held',
    at: 110,
    state,
    answer,
  });
  const decided = (attempt: string, at: number): FlowEvent => ({
    type: 'decided',
    at,
    answer: 'answer-s',
    attempt,
  });
  const reopened = (attempt: string): FlowEvent => ({
    type: 'reopened',
    at: 120,
    answer: 'answer-s',
    attempt,
  });
  const declined: FlowEvent = { type: 'declined', at: 130, state: 's', revoked: true };
  const asked = [opened, begun('s'), returned('s', 'r'), held('s')];

  it.each<readonly [string, readonly FlowEvent[], string | undefined]>([
    ['without a claim', asked, undefined],
    ['the first attempt claims it', [...asked, decided('one', 111), decided('two', 112)], 'one'],
    [
      'another attempt claims it after its owner reopened it',
      [...asked, decided('one', 111), reopened('one'), decided('two', 112)],
      'two',
    ],
    [
      'is still claimed if another attempt reopens it',
      [...asked, decided('one', 111), reopened('two')],
      'one',
    ],
    ['is claimed for half a minute', [...asked, decided('one', 111), decided('two', 140)], 'one'],
    [
      'can be claimed again after half a minute',
      [...asked, decided('one', 111), decided('two', 141)],
      'two',
    ],
  ])('R33 R36 an answer that waits for a decision: %s', (_title, events, attempt) => {
    const [pending] = foldFlow(events)?.pending ?? [];
    expect([pending?.answer, pending?.claim?.attempt]).toEqual(['answer-s', attempt]);
  });

  it.each<readonly [string, FlowEvent, string, object]>([
    ['stored', completed('s'), 'signed-in', { outcome: 'stored', revoked: false }],
    ['declined', declined, 'waiting', { outcome: 'declined', revoked: true }],
    ['failed', failed('s'), 'failed', { outcome: 'failed', revoked: false }],
  ])('R33 an answer is %s once, and its state is finished', (_title, event, kind, outcome) => {
    const flow = foldFlow([
      ...asked,
      decided('one', 111),
      event,
      event,
      decided('two', 300),
      held('s', 'again'),
    ]);
    expect(flow).toMatchObject({ logins: [], pending: [], finished: ['s'] });
    expect(flow?.settled).toEqual([{ answer: 'answer-s', stem: 'a', ...outcome }]);
    expect(flow?.tokens[0]?.state.kind).toBe(kind);
  });

  it('R33 a declined answer undoes neither a stored token nor another login', () => {
    const flow = foldFlow([...asked, begun('t'), completed('t'), begun('u', 'b'), declined]);
    expect(flow?.tokens.map(({ state }) => state.kind)).toEqual(['signed-in', 'waiting']);
    expect(flow?.logins.map(({ state }) => state)).toEqual(['u']);
  });

  const superseded = (more: object = {}): FlowEvent => ({
    type: 'superseded',
    at: 140,
    answer: 'answer-s',
    revoked: false,
    ...more,
  });
  const newer = [begun('t'), held('t'), completed('t')];
  const waits = { answer: 'answer-s', stem: 'a', outcome: 'superseded', revoked: false };

  it.each<readonly [string, readonly FlowEvent[], readonly object[]]>([
    ['is settled when a newer one is stored', newer, [waits]],
    ['is settled even while it is being stored', [decided('one', 111), ...newer], [waits]],
    ['is settled once', [...newer, completed('s'), declined], [waits]],
    [
      'is marked as revoked later',
      [...newer, superseded({ revoked: true })],
      [{ ...waits, revoked: true }],
    ],
    [
      'still waits if an answer for another token is stored',
      [begun('t', 'b'), held('t'), completed('t')],
      [],
    ],
    ['is settled by itself', [superseded({ shared: true })], [{ ...waits, shared: true }]],
    ['is not settled by others while it is being stored', [decided('one', 111), superseded()], []],
    [
      'is settled by the attempt that claimed it',
      [decided('one', 111), superseded({ attempt: 'one' })],
      [waits],
    ],
    [
      'that was declined is still declined',
      [declined, superseded()],
      [{ ...waits, outcome: 'declined', revoked: true }],
    ],
  ])('R33 R36 an older answer for a token %s', (_title, events, expected) => {
    const flow = foldFlow([...asked, ...events]);
    expect(flow?.settled.filter(({ answer }) => answer === 'answer-s')).toEqual(expected);
    expect(flow?.pending.some(({ answer }) => answer === 'answer-s')).toBe(expected.length === 0);
  });

  it('an answer waits for the lifetime of a login', () => {
    const flow = foldFlow(asked);
    expect(flow && openAnswers(flow, 709, 600)).toHaveLength(1);
    expect(flow && openAnswers(flow, 710, 600)).toHaveLength(0);
  });

  it('is complete when all tokens are stored', () => {
    const half = foldFlow([opened, begun('s'), completed('s')]);
    const whole = foldFlow([opened, begun('s'), completed('s'), begun('t', 'b'), completed('t')]);
    expect([half && isComplete(half), whole && isComplete(whole)]).toEqual([false, true]);
  });

  it('a login expires after its timeout', () => {
    const flow = foldFlow([opened, begun('s', 'a', 100), begun('t', 'a', 200)]);
    expect(flow && liveLogins(flow, 699, 600).map(({ state }) => state)).toEqual(['s', 't']);
    expect(flow && liveLogins(flow, 700, 600).map(({ state }) => state)).toEqual(['t']);
  });

  it('R36 in any order of events, a token is signed in exactly if one of its logins was completed', () => {
    const event = fc.oneof(
      fc.record({
        do: fc.constant('begun' as const),
        state: fc.constantFrom('s', 't', 'u'),
        stem: fc.constantFrom('a', 'b'),
      }),
      fc.record({
        do: fc.constantFrom('completed' as const, 'failed' as const),
        state: fc.constantFrom('s', 't', 'u'),
        stem: fc.constant(''),
      }),
    );
    const holds = (steps: readonly { do: string; state: string; stem: string }[]): boolean => {
      const live = new Map<string, string>();
      const done = new Set<string>();
      const events: FlowEvent[] = [opened];
      for (const step of steps) {
        if (step.do === 'begun') {
          if (live.has(step.state)) continue;
          live.set(step.state, step.stem);
          events.push(begun(step.state, step.stem));
        } else {
          const stem = live.get(step.state);
          live.delete(step.state);
          if (step.do === 'completed' && stem !== undefined) done.add(stem);
          events.push(step.do === 'completed' ? completed(step.state) : failed(step.state));
        }
      }
      const signedIn =
        foldFlow(events)?.tokens.filter(({ state }) => state.kind === 'signed-in') ?? [];
      return signedIn.length === done.size && signedIn.every(({ stem }) => done.has(stem));
    };
    expect(fc.check(fc.property(fc.array(event, { maxLength: 20 }), holds)).failed).toBe(false);
  });
});
