// The output of the command line for a configuration, in condor_config_val's format.
import { expect, test } from 'vitest';
import { dumpText, verboseText } from '../../../src/config/table/config.ts';
import { FACTS, readText } from '../read-text.ts';

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

test('a fact of the machine is read when it is looked up, once', () => {
  let count = 0;
  const cpus = (): string => String((count += 1));
  const facts = { ...FACTS, early: { DETECTED_CPUS: cpus, UNAME_ARCH: () => 'own' } };
  const own = readText('A = $(DETECTED_CPUS)\nuname_arch = $(UNAME_ARCH)-2\n', { facts });
  expect([own.setNames(), own.get('UNAME_ARCH'), count]).toEqual([['A', 'UNAME_ARCH'], 'own-2', 0]);
  // The default is 1, too: the knob is as good as unset.
  expect([own.get('A'), own.origin('DETECTED_CPUS')?.kind, count]).toEqual(['1', 'default', 1]);
  expect(own.foundName('uname_arch')).toBe('UNAME_ARCH');
});

test('the names that are set are all names but those of defaults and facts, in the same order', () => {
  const isSet = (name: string): boolean =>
    !['default', 'detected'].includes(config.origin(name)?.kind ?? '');
  expect(config.setNames()).toEqual(config.names().filter(isSet));
  expect(config.setNames()).toEqual(expect.arrayContaining(['A', 'B', 'CREDMON_OAUTH_LOG', 'LOG']));
});
