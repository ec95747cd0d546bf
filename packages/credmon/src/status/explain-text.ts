// `condor_credmon explain` for a person: the next step first, then what decides it. Pure.
import { durationText, tableText, utcText } from '@credmon/core/base';
import { tokenId } from '@credmon/core/credential';
import type { Explanation, FileFact, ProviderFacts } from './explain.ts';
import { nameOf } from './table.ts';

/** Returns the explanation as text, at its own `checked_at`. */
export function explanationText(explanation: Explanation): string {
  const { user, files } = explanation;
  const shown = [...stateLines(explanation), ...failureLines(explanation)].flatMap(
    ([name, text]) => (text === null ? [] : [[`  ${name}`, text]]),
  );
  return [
    tokenId({ user, stem: nameOf(explanation) }),
    tableText(shown),
    ...(files ? ['  Files', tableText(files.map(fileCells))] : []),
  ].join('\n');
}

/** A heading, and what is known; `null` hides the line. */
type Line = readonly [string, string | null];

function stateLines(explanation: Explanation): Line[] {
  const { provider, service, state, expired, issued_at: issued, daemon, due } = explanation;
  const { next_step: step, expires_at: expires, checked_at: now } = explanation;
  return [
    ['Next step', step],
    ['Who acts', actorText(explanation)],
    ['State', expired ? `${state}, EXPIRED` : state],
    ['Provider', provider && providerText(service, provider)],
    ['Issued', issued === null ? null : timeText(issued, now)],
    ['Expires', expires === null ? (issued === null ? null : 'never') : timeText(expires, now)],
    ['Due', due && `${due.at === null ? '' : `${timeText(due.at, now)}: `}${due.reason}`],
    ['Queue', queueText(explanation)],
    ['Daemon', daemon === null ? 'not running' : `process ${daemon}`],
  ];
}

function failureLines(explanation: Explanation): Line[] {
  const { backoff, circuit_breaker: breaker, last_error: error } = explanation;
  const { ignored_error: ignored, checked_at: now } = explanation;
  const until = (time: number | null): string =>
    time === null ? '' : ` until ${timeText(time, now)}`;
  return [
    [
      'Backoff',
      backoff &&
        `${backoff.attempts} failed in a row, the last ${timeText(backoff.last_attempt, now)}; ` +
          `no attempt${until(backoff.until) || ` before ${backoff.ends_with}`}`,
    ],
    [
      'Circuit breaker',
      breaker && `open${until(breaker.until)}; published ${timeText(breaker.written_at, now)}`,
    ],
    ['Last error', error && `${error.code}: ${error.message}`],
    ['Remedy', error?.remedy ?? null],
    ['Old error', ignored && `${ignored} (ignored: its files or its client have changed since)`],
  ];
}

function queueText({ queue, provider, circuit_breaker: breaker }: Explanation): string | null {
  if (queue === null) return null;
  const { due, before, cap } = queue;
  const others = before === 0 ? 'no token is' : `${before} of ${due} due tokens are`;
  const at = provider?.issuer ?? 'its issuer';
  const health = breaker === null ? '' : '; one at a time while the circuit breaker is open';
  return `${others} before it at ${at}, where ${cap} are renewed at a time${health}`;
}

const timeText = (time: number, now: number): string =>
  `${utcText(time)} (${time > now ? `in ${durationText(time - now)}` : `${durationText(now - time)} ago`})`;

const providerText = (service: string, { kind, profile, issuer }: ProviderFacts): string =>
  [
    `${service} (${kind})`,
    ...(profile === null ? [] : [`profile ${profile}`]),
    ...(issuer === null ? [] : [`asks ${issuer}`]),
  ].join(', ');

const fileCells = ({ name, state, note, modified }: FileFact): string[] => [
  `    ${name}`,
  state,
  [
    ...(modified === null ? [] : [`modified ${utcText(modified)}`]),
    ...(note === null ? [] : [note]),
  ].join(', '),
];

function actorText({ actor, user }: Explanation): string {
  if (actor === 'nobody') return 'nobody has to act';
  return actor === 'user' ? `the user ${user}` : 'the administrator';
}
