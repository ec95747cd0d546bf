// The pages of docs/recipes without a pool: their configurations are read without a
// finding, their commands exist, and the output of `check --migrate` is what they show.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadConfig } from '@credmon/core/config';
import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../packages/credmon/src/checks/config.ts';
import { parseArguments } from '../../packages/credmon/src/command-line/arguments.ts';
import { runMigrateCommand } from '../../packages/credmon/src/commands/check.ts';
import { parseArguments as parsePortal } from '../../packages/webserver/src/cli/arguments.ts';
import { missingLines } from '../support/page-blocks.ts';
import { RECIPES, recipeSteps, writtenFiles } from '../support/recipe-page.ts';

const CONFIG_D = '/etc/condor/config.d/';

/** All files that the commands of a page write, the last version of each. */
const filesOf = (page: string): Record<string, string> =>
  Object.assign({}, ...recipeSteps(page).map(({ commands }) => writtenFiles(commands)));

/** The new configuration for the old files of a page, which it keeps in /root/old. */
function migrated(page: string): string | undefined {
  const step = recipeSteps(page).find(({ commands }) => commands.includes('check --migrate'));
  if (!step) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'recipe-'));
  const files = filesOf(page);
  const paths = [...step.commands.matchAll(/ (\/root\/old\/\S+\.conf)/g)].map(([, path = '']) => {
    const name = path.replace('/root/old/', '');
    const text = files[path] ?? files[`${CONFIG_D}${name}`] ?? '';
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  });
  let printed = '';
  const common = { name: 'CREDMON_OAUTH', credDir: undefined, configFile: undefined };
  const unique = [...new Set(paths)];
  runMigrateCommand({ kind: 'migrate', ...common, files: unique }, (text) => (printed = text));
  return printed;
}

describe.each(RECIPES)('docs/recipes/%s', (page) => {
  const steps = recipeSteps(page);

  it('has commands that a shell can read', () => {
    expect(steps.length).toBeGreaterThan(5);
    for (const { commands, heading } of steps) {
      const { stderr } = spawnSync('bash', ['-n'], { input: commands, encoding: 'utf8' });
      expect(`${heading}: ${stderr}`).toBe(`${heading}: `);
    }
  });

  it('has a new configuration that is read without a finding', () => {
    const folder = mkdtempSync(join(tmpdir(), 'recipe-'));
    const files = Object.entries(filesOf(page)).filter(
      ([path]) => path.startsWith(CONFIG_D) && !path.endsWith('/50-credmon.conf'),
    );
    const printed = migrated(page);
    const all = [
      ...files,
      ...(printed === undefined ? [] : [['60-credmon.conf', printed] as const]),
    ];
    const paths = all.map(([path, text]) => {
      const file = join(folder, path.replace(CONFIG_D, ''));
      writeFileSync(file, `${text.replaceAll('$kid', 'k1')}\n`);
      return file;
    });
    const config = loadConfig({ subsystem: 'CREDMON_OAUTH', env: {}, files: paths.sort() });
    const { settings, findings } = checkConfig(config, { credDir: undefined });
    expect(findings.map(({ state, text }) => `${state} ${text.replace(/^.*: /s, '')}`)).toEqual([
      'ok no errors',
    ]);
    expect(settings?.credDir).toMatch(/^\/var\/lib\/condor\/(?:oauth_)?credentials$/);
  });

  it('shows the lines that check --migrate prints', () => {
    const step = steps.find(({ commands }) => commands.includes('check --migrate'));
    const printed = migrated(page) ?? '';
    const plain = printed.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(plain).toEqual(step?.expected ?? []);
  });

  it('has commands of condor_credmon and the portal that exist', async () => {
    const text = steps.map(({ commands }) => commands.replaceAll('\\\n', ' ')).join('\n');
    // Behind a redirection or another command nothing belongs to ours.
    const calls = [
      ...text.matchAll(/(?:^|[ /])(condor_credmon(?:_webserver)?)((?: [^\s|>&;<]+)*)/gm),
    ]
      .map(([, name = '', rest = '']) => ({ name, args: rest.split(' ').filter(Boolean) }))
      .filter(({ args }) => args[0] !== '-q' && !args.includes('='));
    expect(calls.length).toBeGreaterThan(1);
    for (const { name, args } of calls) {
      const parse = name === 'condor_credmon' ? parseArguments : parsePortal;
      const command = await parse(args, '0');
      const failed = command.kind === 'text' && command.exitCode !== 0;
      expect({ name, args, failed }).toEqual({ name, args, failed: false });
    }
  });
});

it('an output may have other lines between the expected ones, in their order', () => {
  const step = { heading: '', setup: false, commands: '', expected: ['a', 'b'] };
  expect(missingLines(step.expected, 'x\na\ny\n  b\n')).toEqual([]);
  expect(missingLines(step.expected, 'b\na\n')).toEqual(['b']);
});
