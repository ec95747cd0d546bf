// Scope templates: what Python's format would do, and what is refused.
import { describe, expect, it } from 'vitest';
import { fillTemplate, parseTemplate } from '../../src/authz/scopes.ts';

const filled = (source: string): string => {
  const parsed = parseTemplate(source, 'username');
  return parsed.ok ? fillTemplate(parsed.value, 'alice') : `refused: ${parsed.reason}`;
};

describe('a template', () => {
  it.each([
    ['read:/user/{username} write:/user/{username}', 'read:/user/alice write:/user/alice'],
    ['no field', 'no field'],
    ['', ''],
    ['{{username}}', '{username}'],
    ['{{{username}}}', '{alice}'],
    ['}}{{', '}{'],
    ['{groupname}', 'refused: uses {groupname}; only {username} is allowed'],
    ['{}', 'refused: uses {}; only {username} is allowed'],
    ['{username!r}', 'refused: uses {username!r}; only {username} is allowed'],
    ['{username:>9}', 'refused: uses {username:>9}; only {username} is allowed'],
    ['read:/{username', 'refused: has a single {; write {{ for the character itself'],
    ['read:/username}', 'refused: has a single }; write }} for the character itself'],
  ])('%j becomes %j', (source, expected) => {
    expect(filled(source)).toBe(expected);
  });

  it('does not expand the filled-in value again', () => {
    const parsed = parseTemplate('read:/{username}', 'username');
    expect(parsed.ok && fillTemplate(parsed.value, '{username}')).toBe('read:/{username}');
  });
});
