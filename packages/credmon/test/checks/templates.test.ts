// What `check` says of scope templates that grant something else than was meant.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkTemplates } from '../../src/checks/templates.ts';
import { checkBench, type CheckBench } from '../support/check-bench.ts';

let on: CheckBench;
beforeEach(() => {
  on = checkBench();
});
afterEach(() => on.close());

const said = (knobs: Record<string, string>): string[] =>
  checkTemplates(on.config(knobs)).map(({ state, text }) => `${state}: ${text}`);

const LOCAL = 'LOCAL_CREDMON_AUTHZ_TEMPLATE';
const comma = (scope: string): string =>
  `the comma in "${scope}" is part of the scope and its path; fix: separate scopes by blanks`;

it.each([
  [LOCAL, 'read:/user/{username}, write:/user/{username}', comma('read:/user/{username},')],
  [
    LOCAL,
    'read:/user/{username},write:/user/{username}',
    comma('read:/user/{username},write:/user/{username}'),
  ],
  ['LOCAL_CREDMON_loc_AUTHZ_TEMPLATE', 'read:/,', comma('read:/,')],
  ['LOCAL_CREDMON_AUTHZ_GROUP_TEMPLATE', 'read:/{groupname}, x', comma('read:/{groupname},')],
  ['CLIENT_CREDMON_AUTHZ_TEMPLATE', 'openid,profile', comma('openid,profile')],
  ['CLIENT_CREDMON_site_AUTHZ_TEMPLATE', 'openid, profile', comma('openid,')],
  ['EXCHANGE_CREDMON_lab_AUTHZ_TEMPLATE', 'read:/, write:/', comma('read:/,')],
  ['PELICAN_CREDMON_AUTHZ_TEMPLATE', 'read:/, write:/', comma('read:/,')],
])('R45 a comma between scopes in %s = %s', (name, value, text) => {
  expect(said({ [name]: value })).toEqual([`warning: <Environment>: ${name}: ${text}`]);
});

it.each([
  [LOCAL, 'read:/user/{username} write:/user/{username}'],
  [LOCAL, 'read:/data/a,b'],
  [LOCAL, 'read:/user/%s'],
  ['LOCAL_CREDMON_AUTHZ_TEMPLATE_EXPR', 'strcat("read:/", Username)'],
  ['LOCAL_CREDMON_AUTHZ_GROUP_REQUIREMENT', 'member("a", Groups)'],
  ['CREDMON_mytok_EXTRA_SCOPES', 'a, b'],
  ['SITE_TEMPLATE', 'a, $(Username)'],
])('%s = %s is right', (name, value) => {
  expect(said({ [name]: value })).toEqual([]);
});

it.each([
  [LOCAL, '{username}'],
  ['LOCAL_CREDMON_AUTHZ_GROUP_TEMPLATE', '{groupname}'],
  ['CLIENT_CREDMON_site_AUTHZ_TEMPLATE', '{username}'],
  ['LOCAL_CREDMON_AUTHZ_TEMPLATE_EXPR', 'Username or Groups'],
  ['LOCAL_CREDMON_AUTHZ_GROUP_REQUIREMENT', 'Username or Groups'],
])('R45 $(Username) in %s is the user of the daemon', (name, field) => {
  const value = '"read:/user/$(Username)"';
  const user = on.config({}).get('USERNAME') ?? '';
  expect(said({ [name]: value })).toEqual([
    `warning: <Environment>: ${name}: $(Username) is the user of the daemon (${user}), the same for all users; fix: write ${field}`,
  ]);
});

it.each([
  ['$(Owner)', '$(Owner) is not set and expands to nothing'],
  ['$(GROUP)', '$(GROUP) is not set and expands to nothing'],
  ['$ENV(USER)', '$ENV(USER) is the user of the daemon ('],
  ['$(User:x)', '$(User) is not set'],
])('R45 the macro %s is found, also inside another one', (macro, text) => {
  const expected = [expect.stringContaining(`${LOCAL}: ${text}`) as string];
  expect(said({ [LOCAL]: `read:/${macro}` })).toEqual(expected);
  expect(said({ [LOCAL]: '$(SITE)', SITE: `$(MORE)`, MORE: `read:/${macro}` })).toEqual(expected);
});

it('other macros are right', () => {
  expect(said({ [LOCAL]: 'read:/ $(LOG)' })).toEqual([]);
});

it.each(['${username}', '$username', '$$(Username)'])(
  'R45 %s is not a field: its $ is part of the scope',
  (text) => {
    const found = said({ [LOCAL]: `read:/user/${text}` });
    expect(found.filter((line) => line.includes('the $ of'))).toEqual([
      expect.stringMatching(
        /AUTHZ_TEMPLATE: the \$ of "\$.*" is part of the scope; fix: write \{username\}$/,
      ),
    ]);
  },
);
