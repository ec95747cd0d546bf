// Reads configuration texts without a disk: files, directories and commands are in
// memory.
import defaults from '../../src/config/table/defaults.json' with { type: 'json' };
import { type Config, indexDefaults } from '../../src/config/table/config.ts';
import { evaluateExpression } from '../../src/config/macros/conditions.ts';
import { readConfiguration } from '../../src/config/syntax/read-sources.ts';
import type { HostFacts, ReadOptions, SourceHost } from '../../src/config/syntax/reader-state.ts';
import templates from '../../src/config/syntax/templates.json' with { type: 'json' };
import { indexTemplates } from '../../src/config/syntax/templates.ts';

/** Facts of a fictitious machine. */
export const FACTS: HostFacts = {
  fullHostname: () => 'ap.example.test',
  tilde: '/home/condor',
  home: '/root',
  uid: 0,
  early: { OPSYS: 'LINUX', DETECTED_CPUS: '4' },
  late: { USERNAME: 'root', PID: '42' },
  addresses: () => [{ name: 'eth0', address: '192.0.2.2' }],
};

/** A host with these files and command outputs. */
export function memoryHost(
  files: Record<string, string>,
  commands: Record<string, string> = {},
): SourceHost {
  return {
    readFile: (path) => (files[path] === undefined ? undefined : Buffer.from(files[path])),
    isDirectory: (path) => Object.keys(files).some((name) => name.startsWith(`${path}/`)),
    listFiles: (path) =>
      Object.keys(files)
        .filter((name) => name.startsWith(`${path}/`))
        .map((name) => name.slice(path.length + 1)),
    run: (command) => {
      const output = commands[command.join(' ')];
      return output === undefined
        ? { kind: 'missing', reason: 'ENOENT' }
        : { kind: 'done', output: Buffer.from(output), status: 0 };
    },
    templateText: (label) => commands[`condor_config_val use ${label}`],
    writeFile: (path, bytes) => void (files[path] = Buffer.from(bytes).toString()),
    writableByOthers: (path) =>
      path.startsWith('/tmp/') ? `${path} is writable by other users` : undefined,
  };
}

const indexedDefaults = indexDefaults(defaults);
const indexedTemplates = indexTemplates(templates);

/**
 * Reads `text` as the file `/c`, with the subsystem TOOL unless `options` has another
 * one.
 */
export function readText(text: string, options: Partial<ReadOptions> = {}): Config {
  return readConfiguration({
    subsystem: 'TOOL',
    localName: undefined,
    env: { CONDOR_CONFIG: '/c' },
    facts: FACTS,
    host: memoryHost({ '/c': text }),
    defaults: indexedDefaults,
    templates: indexedTemplates,
    evaluate: evaluateExpression,
    random: () => 0,
    commandsAllowed: true,
    version: [25, 14, 0],
    ...options,
  });
}
