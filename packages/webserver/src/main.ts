// The executable condor_credmon_webserver: command line in, signals heard, exit code out.
import { loadConfig } from '@credmon/core';
import { isCoded, messageOf } from '@credmon/core/base';
import { openLog } from '@credmon/core/log';
import { parseArguments, type Command } from './args.ts';
import { checkWorld, startServer } from './server.ts';
import { readSettings } from './settings/read.ts';
import type { Settings } from './settings/settings.ts';
import { VERSION } from './version.ts';

async function run(command: Command): Promise<number> {
  if (command.kind === 'text') {
    (command.exitCode === 0 ? process.stdout : process.stderr).write(`${command.text}\n`);
    return command.exitCode;
  }
  const env = { ...process.env };
  if (command.configFile !== undefined) env['CONDOR_CONFIG'] = command.configFile;
  const config = loadConfig({ subsystem: 'CREDMON_WEB', env });
  const settings = readSettings(config, command.listen);
  for (const { message } of config.warnings) process.stderr.write(`condor_credmon_webserver: ${message}\n`);
  if (command.kind === 'serve') return serve(settings);
  checkWorld(settings);
  process.stdout.write(`ok: ${settings.prefix}, credential directory ${settings.credentialDirectory}\n`);
  return 0;
}

/** Serves until SIGTERM or SIGINT; what is in flight is finished, and a second signal ends at once. SIGHUP opens the log anew. */
async function serve(settings: Settings): Promise<number> {
  const log = openLog(settings.log);
  process.on('SIGHUP', () => {
    try {
      log.reopen(settings.log);
    } catch (error) {
      log.error(`The log cannot be opened anew, and goes on where it was: ${messageOf(error)}`);
    }
  });
  const stopped = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(1));
        resolve(signal);
      });
    }
  });
  const server = await startServer(settings, log);
  log.info(
    `condor_credmon_webserver ${VERSION} serves ${settings.prefix} on ${server.address}, process ${process.pid}`,
  );
  log.info(`Got ${await stopped}, stopping`);
  await server.close();
  log.info('Stopped');
  log.close();
  return 0;
}

try {
  process.exitCode = await run(await parseArguments(process.argv.slice(2), VERSION));
} catch (error) {
  process.stderr.write(`condor_credmon_webserver: ${messageOf(error)}\n`);
  process.exitCode = isCoded(error, 'LOG_UNWRITABLE') ? 44 : 1;
}
