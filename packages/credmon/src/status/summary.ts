// A short summary of tokens that need attention: what is wrong, an example, and the next
// step.
import { remediationFor } from '../report/remediation.ts';
import { needsAdministrator, needsAttention, nameOf, type StatusRow } from './rows.ts';

/**
 * Returns at most `most` sentences, one for each service and problem, the most frequent
 * first; the last sentence counts the rest.
 */
export function attentionTexts(rows: readonly StatusRow[], most = 5): string[] {
  return problemTexts(rows.filter(needsAttention), most);
}

/** Returns such sentences for tokens whose failure only the administrator can correct. */
export function administratorTexts(rows: readonly StatusRow[], most = 5): string[] {
  return problemTexts(rows.filter(needsAdministrator), most);
}

function problemTexts(rows: readonly StatusRow[], most: number): string[] {
  const groups = groupBy(rows, (row) =>
    [row.service, row.provider, row.state, row.expired, row.last_error?.code].join(' '),
  );
  return truncate(groups.map(attentionText), most);
}

/**
 * Returns at most `most` sentences about tokens that are not renewed, one for each
 * reason.
 */
export function unownedTexts(rows: readonly StatusRow[], most = 5): string[] {
  const unowned = rows.filter(({ provider }) => provider === null);
  const groups = groupBy(unowned, ({ why }) => why ?? '');
  return truncate(
    groups.map((group) => {
      const be = group.length === 1 ? 'is' : 'are';
      return `${label(group)} ${be} not renewed: ${group[0].why ?? 'no provider owns it'}`;
    }),
    most,
  );
}

type Group = readonly [StatusRow, ...StatusRow[]];

function groupBy(rows: readonly StatusRow[], keyOf: (row: StatusRow) => string): Group[] {
  const groups = new Map<string, [StatusRow, ...StatusRow[]]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group) group.push(row);
    else groups.set(keyOf(row), [row]);
  }
  return [...groups.values()].sort((a, b) => b.length - a.length);
}

function truncate(texts: readonly string[], most: number): string[] {
  const rest = texts.length - most;
  return rest <= 0
    ? [...texts]
    : [
        ...texts.slice(0, most),
        `and ${rest} more: condor_credmon status --json has their messages`,
      ];
}

function label(group: Group): string {
  const id = `${group[0].user}/${nameOf(group[0])}`;
  return group.length === 1 ? id : `${id} and ${group.length - 1} more`;
}

function attentionText(group: Group): string {
  const [row] = group;
  const { last_error: error, expired, state } = row;
  const expiredText = row.expires_at === null ? 'unusable' : 'expired';
  const stateText = [expired ? expiredText : '', state === 'stopped' ? 'stopped' : '']
    .filter(Boolean)
    .join(' and ');
  const be = `${group.length === 1 ? 'is' : 'are'} ${stateText === '' ? 'not renewed' : stateText}`;
  if (error === null) return `${label(group)} ${be}, and not renewed yet`;
  const id = `${row.user}/${nameOf(row)}: `;
  const message = error.message.startsWith(id) ? error.message.slice(id.length) : error.message;
  return (
    `${label(group)} ${be} (${error.code}): ${message}; ` +
    (remediationFor(row, error.code) ?? `see ${error.code} in docs/errors.md`)
  );
}
