// The output of the command line for a configuration, in condor_config_val's format.
import { expect, test } from 'vitest';
import { dumpText, verboseText } from '../../../src/config/table/config.ts';
import { readText } from '../read-text.ts';

const config = readText('LOG = /l\nB @=x\none\n$(LOG)\n@x\nuse FEATURE : OAUTH\nA = 2\nE =\n');

test('a value with its origin, raw text and default', () => {
  expect(verboseText(config, 'LOG')).toBe(
    'LOG = /l\n # at: /c, line 1\n # raw: LOG = /l\n # default: $(LOCAL_DIR)/log',
  );
});

test('a value set by a template names the template', () => {
  expect(verboseText(config, 'CREDMON_OAUTH_LOG')).toBe(
    'CREDMON_OAUTH_LOG = /l/CredMonOAuthLog\n # at: /c, line 6, use FEATURE:OAUTH+2\n # raw: CREDMON_OAUTH_LOG = $(LOG)/CredMonOAuthLog',
  );
});

test('an empty knob is not defined', () => {
  expect(verboseText(config, 'E')).toBeUndefined();
});

test.each([
  [false, 'A = 2\nB @=end\n   one\n   $(LOG)\n@end\n'],
  [true, 'A = 2\nB @=end\n   one\n   /l\n@end\n'],
])('a dump lists knobs by name and then the files (expanded: %s)', (expanded, body) => {
  expect(dumpText(config, { pattern: /^[ab]$/i, expanded })).toBe(
    `# Configuration from machine: ap.example.test\n\n${body}# Contributing configuration file(s):\n#\t/c\n`,
  );
});

test('the names that are set are all names but those of defaults, in the same order', () => {
  const isDefault = (name: string): boolean => config.origin(name)?.kind === 'default';
  expect(config.setNames()).toEqual(config.names().filter((name) => !isDefault(name)));
  expect(config.setNames()).toEqual(expect.arrayContaining(['A', 'B', 'CREDMON_OAUTH_LOG', 'LOG']));
});
