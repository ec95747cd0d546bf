// The scopes of a user, and who is refused.
import { parseExpression } from '@credmon/core/classad';
import { describe, expect, it } from 'vitest';
import { meetsRequirement, parseRequirement } from '../../src/authz/requirement.ts';
import {
  scopesFor,
  type ScopeRules,
  parseTemplate,
  type Template,
} from '../../src/authz/scopes.ts';

const template = (text: string, field: string): Template => {
  const parsed = parseTemplate(text, field);
  return parsed.ok ? parsed.value : [];
};
const RULES: ScopeRules = {
  template: template('read:/user/{username} write:/user/{username}', 'username'),
  expression: undefined,
  append: false,
  groupTemplate: undefined,
  requirement: undefined,
};
const userMap = (map: string, input: string): string | undefined =>
  map === 'projects' && input === 'alice' ? 'higgs,top' : undefined;
const ALICE = { username: 'alice', groups: ['cms', 'it'], now: 1000, userMap };

const result = (rules: Partial<ScopeRules>): string => {
  try {
    return scopesFor({ ...RULES, ...rules }, ALICE).join(' ');
  } catch (error) {
    return String(error);
  }
};

describe('scopes', () => {
  it.each<[string, Partial<ScopeRules>, string]>([
    ['come from the template', {}, 'read:/user/alice write:/user/alice'],
    [
      'come from the expression instead',
      { expression: parseExpression('strcat("read:/e/", Username)') },
      'read:/e/alice',
    ],
    [
      'come from both when appended',
      { expression: parseExpression('strcat("read:/e/", Username)'), append: true },
      'read:/user/alice write:/user/alice read:/e/alice',
    ],
    [
      'are those of the template when an appending expression gives none',
      { expression: parseExpression('NoSuchName'), append: true },
      'read:/user/alice write:/user/alice',
    ],
    [
      'are followed by those of the groups',
      { groupTemplate: template('read:/g/{groupname}', 'groupname') },
      'read:/user/alice write:/user/alice read:/g/cms read:/g/it',
    ],
    [
      'may use the groups and the user maps in the expression',
      {
        expression: parseExpression(
          'member("it", Groups) ? strcat("read:/p/", userMap("projects", Username, "top")) : ""',
        ),
      },
      'read:/p/top',
    ],
    [
      'are listed once',
      { expression: parseExpression('"read:/a write:/a read:/a"') },
      'read:/a write:/a',
    ],
    [
      'are rejected when the deciding expression is not a string',
      { expression: parseExpression('1 + 2') },
      'CodedError: LOCAL_CREDMON_AUTHZ_TEMPLATE_EXPR evaluates to integer, not to a string for alice',
    ],
    [
      'are rejected when an expression refers to itself',
      { expression: parseExpression('Scopes') },
      'CodedError: LOCAL_CREDMON_AUTHZ_TEMPLATE_EXPR evaluates to undefined, not to a string for alice',
    ],
    [
      'are rejected when the requirement is not met',
      { requirement: parseRequirement('atlas') },
      'CodedError: LOCAL_CREDMON_AUTHZ_GROUP_REQUIREMENT does not allow a token for alice',
    ],
  ])('%s', (_, rules, expected) => {
    expect(result(rules)).toBe(expected);
  });
});

describe('a requirement', () => {
  it.each([
    ['cms', true],
    ['CMS', false],
    ['cm', false],
    ['/cms/sub', false],
    ['true', true],
    ['FALSE', false],
    ['member("it", Groups)', true],
    ['member("x", Groups) || Username == "alice"', true],
    ['stringListMember("higgs", userMap("projects", Username))', true],
    ['size(Groups)', true],
    ['NoSuchName', false],
    ['Username', false],
    ['1/0', false],
    ['"cms"', false],
  ])('%s is met: %s', (text, expected) => {
    const requirement = parseRequirement(text);
    expect(meetsRequirement(requirement, { ...ALICE, userMap })).toBe(expected);
  });
});
