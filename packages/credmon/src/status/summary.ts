// Tokens that a person should look at, in few words: what is the matter, such as whose,
// and what to do next.
import { remediationFor } from '../report/remediation.ts';
import { needsAttention, nameOf, type StatusRow } from './rows.ts';

/**
 * At most `most` sentences, one for each service and kind of trouble, the one with most
 * tokens first; the last tells of the rest.
 */
export function troubleTexts(rows: readonly StatusRow[], most = 5): string[] {
  const groups = groupBy(rows.filter(needsAttention), (row) =>
    [row.service, row.provider, row.state, row.expired, row.last_error?.code].join(' '),
  );
  return few(groups.map(troubleText), most);
}

/** At most `most` sentences on tokens that are not renewed, one for each service. */
export function unownedTexts(rows: readonly StatusRow[], most = 5): string[] {
  const unowned = rows.filter(({ provider }) => provider === null);
  const groups = groupBy(unowned, ({ why }) => why ?? '');
  return few(
    groups.map((group) => `${someOf(group)} not renewed: ${group[0].why ?? 'no provider owns it'}`),
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

function few(texts: readonly string[], most: number): string[] {
  const rest = texts.length - most;
  return rest <= 0
    ? [...texts]
    : [...texts.slice(0, most), `and ${rest} more of that kind: condor_credmon status lists them`];
}

function someOf(group: Group): string {
  const id = `${group[0].user}/${nameOf(group[0])}`;
  return group.length === 1 ? id : `${id} and ${group.length - 1} more`;
}

function troubleText(group: Group): string {
  const [row] = group;
  const { last_error: error, expired, state } = row;
  const dead = row.expires_at === null ? 'unusable' : 'expired';
  const how = [expired ? dead : '', state === 'stopped' ? 'stopped' : '']
    .filter(Boolean)
    .join(' and ');
  const be = group.length === 1 ? 'is' : 'are';
  if (error === null) return `${someOf(group)} ${be} ${how}, and not renewed so far`;
  const id = `${row.user}/${nameOf(row)}: `;
  const message = error.message.startsWith(id) ? error.message.slice(id.length) : error.message;
  return `${someOf(group)} ${be} ${how} (${error.code}): ${message}; ${remediationFor(row, error.code) ?? `see ${error.code} in docs/errors.md`}`;
}
