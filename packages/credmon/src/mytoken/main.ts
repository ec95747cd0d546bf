// The executable condor_credmon_mytoken: standard input, files, network and exit code.
import { readFileSync } from 'node:fs';
import {
  STDERR,
  STDOUT,
  createSend,
  createTrust,
  isCoded,
  lookUpByProgram,
  messageOf,
  printableLine,
  systemClock,
  writeOutput,
  type Send,
} from '@credmon/core/base';
import { EXIT_FAILED, EXIT_USAGE } from '../command-line/exit-codes.ts';
import { openMytokenFile, writeMytokenFile } from '../host/secret-file.ts';
import { VERSION } from '../version.ts';
import { mytokenPath, parseMytokenArguments, type MytokenOptions } from './arguments.ts';
import {
  noLogin,
  obtainToken,
  ofFile,
  redeemCode,
  unavailable,
  withKept,
  type MytokenPorts,
  type ProgramOutput,
} from './obtain.ts';
import { loginOf, parseProgramRequest } from './protocol.ts';

/** Time limit for the server's metadata, in seconds. */
const METADATA_SECONDS = 5;
/** Maximum size of a response, in bytes. */
const MAX_BODY = 256 * 1024;

function sendWithin(seconds: number, { caFile }: MytokenOptions): Send {
  const named = { caFile, caDirectory: undefined, knobs: '--ca-file' };
  return createSend({
    connectSeconds: Math.min(METADATA_SECONDS, seconds),
    totalSeconds: seconds,
    maxBodyBytes: MAX_BODY,
    trust: createTrust({ named: () => named, trouble: () => undefined }),
  }).send;
}

/** The requests for tokens have `options.seconds` together. */
function portsOf(
  options: MytokenOptions,
  requests: 1 | 2,
  keep: (mytoken: string) => void,
): MytokenPorts {
  const { seconds } = options;
  return {
    ask: sendWithin(Math.min(METADATA_SECONDS, seconds), options),
    send: sendWithin(seconds / requests, options),
    now: () => systemClock.now(),
    keep,
  };
}

async function obtain(options: MytokenOptions): Promise<ProgramOutput> {
  const request = parseProgramRequest(readFileSync(0, 'utf8'));
  if (options.file === undefined) {
    if (request.login === undefined) return noLogin(request.service);
    let kept: string | undefined;
    const { login } = request;
    const ports = portsOf(options, login.kind === 'transfer_code' ? 2 : 1, (mytoken) => {
      kept = mytoken;
    });
    return withKept(await obtainToken(request, login, options, ports), kept);
  }
  try {
    const { mytoken, store } = openMytokenFile(mytokenPath(options.file, request));
    const login = { kind: 'mytoken', text: mytoken } as const;
    return ofFile(await obtainToken(request, login, options, portsOf(options, 1, store)));
  } catch (error) {
    if (isCoded(error, 'ISSUER_BUSY')) return unavailable(error.message);
    throw error;
  }
}

async function redeem(options: MytokenOptions, file: string): Promise<ProgramOutput> {
  const code = loginOf('transfer_code', readFileSync(0, 'utf8').trim());
  if (code === undefined)
    return { json: undefined, exit: 1, message: 'no transfer code on standard input' };
  const ports = portsOf(options, 1, (mytoken) => writeMytokenFile(file, mytoken));
  return redeemCode(code.text, options, ports);
}

async function run(): Promise<number> {
  try {
    const options = parseMytokenArguments(process.argv.slice(2), VERSION);
    if (options.kind === 'text') {
      writeOutput(STDOUT, `${options.text}\n`);
      return 0;
    }
    const { file } = options;
    const output =
      options.kind === 'redeem' && file !== undefined
        ? await redeem(options, file)
        : await obtain(options);
    if (output.json !== undefined) writeOutput(STDOUT, `${JSON.stringify(output.json)}\n`);
    if (output.message !== undefined) say(output.message);
    return output.exit;
  } catch (error) {
    if (isCoded(error, 'USAGE')) writeOutput(STDERR, `condor_credmon_mytoken: ${error.message}\n`);
    else say(messageOf(error));
    return isCoded(error, 'USAGE') ? EXIT_USAGE : EXIT_FAILED;
  }
}

/** condor_credmon logs the last line of standard error. */
function say(text: string): void {
  writeOutput(STDERR, `condor_credmon_mytoken: ${printableLine(text)}\n`);
}

lookUpByProgram();
// Open connections or name look-ups must not delay the exit.
void run().then((exitCode) => process.exit(exitCode));
