// The command `check --migrate FILE...`: prints the configuration that replaces an older
// credmon's. Reads these files only, runs no command in them, and changes nothing.
import { CodedError, messageOf, readAtMost, systemCode } from '@credmon/core/base';
import { loadConfig, warningText } from '@credmon/core/config';
import type { Subcommand } from '../command-line/command.ts';
import { wsgiPortalIn } from '../migrate/knobs.ts';
import { newConfiguration } from '../migrate/new-configuration.ts';
import { programFolder } from '../settings/program-folder.ts';

/** In bytes; the rest of a larger file is not searched for a portal. */
const LARGEST = 4 * 1024 * 1024;

type MigrateCommand = Subcommand & { kind: 'migrate' };

/**
 * Prints the new configuration. Returns exit code 1 if a part of a file was not
 * understood; it is a comment then.
 * @throws CodedError `CONFIG_READ` if a file cannot be read
 */
export function runMigrateCommand(
  { files, name }: MigrateCommand,
  print: (text: string) => void,
): number {
  const texts = files.map((file) => ({ file, text: readText(file) }));
  const portals = texts.flatMap(({ file, text }) => wsgiPortalIn(file, text) ?? []);
  const unread: string[] = [];
  const config = loadConfig({
    subsystem: name,
    env: {},
    files: files.filter((file) => !portals.some((portal) => portal.file === file)),
    commandsAllowed: false,
    tolerate: (error) => unread.push(messageOf(error)),
  });
  const warnings = config.warnings.map(warningText);
  print(
    newConfiguration({
      config,
      portals,
      unread: [...unread, ...warnings],
      programs: programFolder(process.argv[1]),
    }).trimEnd(),
  );
  return unread.length > 0 ? 1 : 0;
}

function readText(file: string): string {
  try {
    return readAtMost(file, LARGEST).toString('utf8');
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    throw new CodedError('CONFIG_READ', `${file}: cannot be read (${code})`, { file });
  }
}
