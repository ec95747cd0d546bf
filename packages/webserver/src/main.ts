// The executable condor_credmon_webserver: command line, signals and exit code.
import { loadConfig, quoteWarnings, warningText, type Config } from '@credmon/core/config';
import {
  type CodedError,
  STDERR,
  STDOUT,
  connectServiceManager,
  isCoded,
  lookUpByProgram,
  messageOf,
  writeOutput,
  findingsText,
  hasErrors,
  wantsColour,
  wrong,
  type Finding,
} from '@credmon/core/base';
import { openLog, openStartLog, reopenLog, startErrorLines, type Logger } from '@credmon/core/log';
import { parseArguments, type Command } from './cli/arguments.ts';
import { proxyConfig } from './check/proxy-config.ts';
import { checkConfiguration, mistakesOf } from './cli/check.ts';
import { startServer, type Server } from './server.ts';
import { LOG_OPTIONS, NO_OVERRIDES, readSettings } from './settings/read.ts';
import type { Settings } from './settings/settings.ts';
import { VERSION } from './version.ts';

/** The log, once it is open. */
let opened: Logger | undefined;

/** A command that needs the configuration. */
type Work = Extract<Command, { kind: 'serve' | 'check' }>;

async function run(command: Command): Promise<number> {
  if (command.kind === 'text') {
    writeOutput(command.exitCode === 0 ? STDOUT : STDERR, `${command.text}\n`);
    return command.exitCode;
  }
  if (command.kind === 'proxy-config') return printProxyConfig(command);
  if (command.kind === 'check') return check(command);
  const { config, settings } = configured(command);
  for (const text of warningsOf(config, settings))
    writeOutput(STDERR, `condor_credmon_webserver: ${text}\n`);
  return serve(command, config, settings);
}

/** Prints the findings. Returns 1 if one of them is an error. */
async function check(command: Work): Promise<number> {
  let findings: readonly Finding[];
  try {
    findings = await checkConfiguration(load(command), command.listen);
  } catch (error) {
    if (!isCoded(error)) throw error;
    findings = mistakesOf(error).map((text) => wrong('configuration', text));
  }
  const colour = wantsColour(process.stdout.isTTY, process.env);
  writeOutput(
    STDOUT,
    `${command.json ? JSON.stringify(findings, null, 2) : findingsText(findings, colour)}\n`,
  );
  return hasErrors(findings) ? 1 : 0;
}

/**
 * Prints the include file for the proxy. The listen address is irrelevant here, so a
 * fixed one avoids errors about it.
 */
function printProxyConfig({
  proxy,
  configFile,
}: Extract<Command, { kind: 'proxy-config' }>): number {
  const { settings } = configured({ configFile, listen: { kind: 'fd', descriptor: 3 } });
  process.stdout.write(proxyConfig(proxy, settings.remoteUser?.header, settings.mount));
  return 0;
}

function load(
  { configFile }: Pick<Work, 'configFile'>,
  tolerate?: (mistake: CodedError) => void,
): Config {
  const env = { ...process.env };
  if (configFile !== undefined) env['CONDOR_CONFIG'] = configFile;
  return loadConfig({ subsystem: 'CREDMON_WEB', env, tolerate });
}

function configured(command: Pick<Work, 'configFile' | 'listen'>): {
  config: Config;
  settings: Settings;
} {
  const config = load(command);
  return { config, settings: readSettings(config, command.listen) };
}

/** Returns the warnings of a valid configuration. */
function warningsOf(config: Config, { names }: Settings): string[] {
  return [
    ...config.warnings.map(warningText),
    ...quoteWarnings(config),
    ...(names?.problems ?? []).map(({ text }) => text),
  ];
}

/** Seconds between two signs of life for systemd's watchdog. */
const TURN_SECONDS = 15;

/**
 * Serves until SIGTERM or SIGINT, then finishes the requests in progress; a second signal
 * exits at once. SIGHUP reloads the configuration.
 */
async function serve(command: Work, config: Config, settings: Settings): Promise<number> {
  const log = await openLog(settings.log);
  opened = log;
  const service = connectServiceManager((text) => log.warn(text));
  const stopped = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(1));
        resolve(signal);
      });
    }
  });
  const starting = startServer(settings, log, config.sources);
  let reloads: Promise<void> = Promise.resolve();
  const reloadAfter = async (before: Promise<void>): Promise<void> => {
    await before;
    const server = await starting.catch(() => undefined);
    if (!server) return;
    service.reloading();
    await reload(command, server, log);
    service.reloaded();
  };
  process.on('SIGHUP', () => {
    reloads = reloadAfter(reloads);
  });
  const server = await starting;
  log.info(
    `condor_credmon_webserver ${VERSION} serves ${settings.prefix} on ${server.address}, process ${process.pid}`,
  );
  if (server.metricsAddress !== undefined) log.info(`Metrics are on ${server.metricsAddress}`);
  service.turnEnded();
  // The event loop has made a turn: requests are answered.
  const turns = setInterval(() => service.turnEnded(), TURN_SECONDS * 1000);
  log.info(`Got ${await stopped}, stopping`);
  clearInterval(turns);
  service.stopping();
  await reloads;
  await server.close();
  log.info('Stopped');
  log.close();
  return 0;
}

/** Reloads the configuration; if it is invalid, the old one is still used. */
async function reload(command: Work, server: Server, log: Logger): Promise<void> {
  // The log file may have been moved, even if the configuration is invalid.
  reopenLog(log);
  try {
    const { config, settings } = configured(command);
    await server.reload(settings, config.sources, () => log.reopen(settings.log));
    for (const text of warningsOf(config, settings)) log.warn(text);
    log.info('Configuration read again');
  } catch (error) {
    log.error(`The new configuration is rejected, the old one is still used: ${messageOf(error)}`);
  }
}

/**
 * Writes the error that ends the program to standard error and, if the configuration
 * names a log, to the log.
 */
async function reportFailure(error: unknown, command: Command | undefined): Promise<void> {
  const mistakes: CodedError[] = [];
  let log = opened;
  if (!log && command?.kind === 'serve' && isCoded(error) && error.code !== 'LOG_UNWRITABLE') {
    const config = load(command, (mistake) => void mistakes.push(mistake));
    log = await openStartLog(config, 'CREDMON_WEB', NO_OVERRIDES, LOG_OPTIONS);
  }
  const lines = error instanceof Error ? startErrorLines(error, mistakes) : [messageOf(error)];
  writeOutput(STDERR, `condor_credmon_webserver: ${lines.join('\n')}\n`);
  for (const line of lines) log?.error(line);
}

async function main(): Promise<number> {
  let command: Command | undefined;
  try {
    command = await parseArguments(process.argv.slice(2), VERSION);
    return await run(command);
  } catch (error) {
    await reportFailure(error, command);
    return isCoded(error, 'LOG_UNWRITABLE') ? 44 : 1;
  }
}

lookUpByProgram();
// Open operations, such as a name lookup, must not delay the exit.
void main().then((exitCode) => process.exit(exitCode));
