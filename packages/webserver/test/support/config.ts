// A configuration for tests: one file with one knob per line.
import type { Config } from '@credmon/core/config';

export function fakeConfig(knobs: Readonly<Record<string, string>>): Config {
  const names = Object.keys(knobs);
  const find = (name: string): number =>
    names.findIndex((one) => one.toUpperCase() === name.toUpperCase());
  const value = (name: string): string | undefined => knobs[names[find(name)] ?? ''];
  return {
    subsystem: 'CREDMON_WEB',
    localName: undefined,
    warnings: [],
    sources: ['test.conf'],
    get: value,
    raw: value,
    origin: (name) =>
      find(name) < 0 ? undefined : { kind: 'file', file: 'test.conf', line: find(name) + 1 },
    // What a real configuration detects.
    expand: (text) =>
      text.replaceAll('$(FULL_HOSTNAME)', () => value('FULL_HOSTNAME') ?? 'localhost'),
    names: () => names,
    setNames: () => names,
    foundName: (name) => (names.includes(name) ? name : undefined),
  };
}
