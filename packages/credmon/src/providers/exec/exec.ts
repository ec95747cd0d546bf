// Tokens from a site's own program. The contract is docs/exec-provider.md.
import { CodedError } from '@credmon/core/base';
import { classifyFailure, harmless } from '@credmon/core/oauth';
import {
  isPresent,
  judgeTokenResponse,
  parseObject,
  refreshTokenToSave,
  splitStem,
  tokenId,
  useFile,
  withoutSecrets,
  type Parsed,
  type TokenAnswer,
  type TokenSnapshot,
} from '@credmon/core/credential';
import { defaultLifetimeOf } from '@credmon/core/profiles';
import type { TokenFiles } from '@credmon/core/store';
import { bareState, basisOf, issuedWith, rejectionAfter, rejectionOf } from '../common/outcomes.ts';
import type { TokenProgram } from '../../settings/vault.ts';
import { checkScopes } from '../common/granted-scopes.ts';
import type { Outcome, Provider, ProviderContext } from '../common/provider.ts';

/**
 * The provider's options. `fileVersion` changes when a file is replaced or rewritten;
 * `defaultLifetime` in seconds.
 */
interface ExecOptions {
  readonly programs: readonly TokenProgram[];
  readonly run: RunProgram;
  readonly fileVersion: (path: string) => string;
  readonly specialNames: boolean;
  readonly defaultLifetime: number;
}

/** Creates the provider. */
export function execProvider(options: ExecOptions): Provider {
  const programs = new Map(options.programs.map((program) => [program.name, program]));
  const programOf = ({ stem }: TokenSnapshot): TokenProgram | undefined =>
    programs.get(splitStem(stem, options.specialNames)?.service ?? '');
  return {
    name: 'exec',
    renewable: (token) => renewable(token, programOf(token)),
    basis: (token) => {
      const program = programOf(token);
      return basisOf(token, [program, program && options.fileVersion(program.command)]);
    },
    issuerOf: (token) => `exec:${programOf(token)?.name ?? ''}`,
    obtain: async (token, files, context) => {
      try {
        const program = programOf(token);
        if (!program) return rejectionOf(token, new TypeError('no program'));
        return await obtain(token, files, program, options, context);
      } catch (error) {
        return rejectionOf(token, error);
      }
    },
  };
}

function renewable({ top }: TokenSnapshot, program: TokenProgram | undefined): Parsed<true> {
  if (!program) return { ok: false, reason: 'its provider is not configured' };
  if (isPresent(top)) return { ok: true, value: true };
  return {
    ok: false,
    reason: top.kind === 'missing' ? '.top is missing: not requested' : `.top ${top.reason}`,
  };
}

async function obtain(
  token: TokenSnapshot,
  files: TokenFiles,
  program: TokenProgram,
  options: ExecOptions,
  context: ProviderContext,
): Promise<Outcome> {
  if (!files.top.ok)
    throw new CodedError('CRED_FILE_INVALID', `${tokenId(token)}: .top ${files.top.reason}`, {
      token: tokenId(token),
    });
  const parsed = parseObject(files.top.value);
  const top = parsed.ok ? parsed.value : undefined;
  const asked = textOf(top, 'scopes');
  const request = {
    version: 1,
    user: token.user,
    ...(splitStem(token.stem, options.specialNames) ?? { service: token.stem, handle: '' }),
    scopes: asked,
    audience: textOf(top, 'audience'),
    top: top ?? files.top.value,
    now: Math.floor(context.now),
  };
  const result = await options.run({ ...program, input: `${JSON.stringify(request)}\n` });
  const spent = textOf(top, 'refresh_token');
  let rotated: string | undefined;
  const rotate = (next: string | undefined): void => {
    if (next !== undefined && next !== spent)
      rotated = `${JSON.stringify({ ...top, refresh_token: next })}\n`;
  };
  const json = parseObject(result.output);
  if (json.ok && !isErrorAnswer(json.value)) rotate(refreshTokenToSave(json.value));
  try {
    const { now } = context;
    const answer = answerOf(program, result, json, { spent, now });
    rotate(answer.refreshToken);
    const noted = checkScopes({
      ...program,
      scopes: program.policy.scopes,
      asked,
      granted: answer.scope,
    });
    const { name: provider, policy } = program;
    const defaultLifetime = defaultLifetimeOf(policy, options.defaultLifetime);
    const { useIdToken: idToken, useJson } = policy;
    const use = useFile(answer, { provider, now, defaultLifetime, idToken, json: useJson });
    const habits = { durable: rotated !== undefined, ...bareState(useJson, answer, use) };
    return { ...issuedWith(use, rotated, habits), ...noted };
  } catch (error) {
    return rejectionAfter(token, error, rotated);
  }
}

function isErrorAnswer(json: Readonly<Record<string, unknown>>): boolean {
  return json['error'] !== undefined && json['access_token'] === undefined;
}

function textOf(top: Readonly<Record<string, unknown>> | undefined, name: string): string {
  const value = top?.[name];
  return typeof value === 'string' ? value : '';
}

/**
 * An error of RFC 6749 counts with any exit code; every other answer only with exit code
 * 0.
 */
function answerOf(
  program: TokenProgram,
  { exit, stderr, failure }: ProgramAnswer,
  json: Parsed<Record<string, unknown>>,
  { spent, now }: { readonly spent: string; readonly now: number },
): TokenAnswer {
  if (failure) throw failure;
  const secrets = [
    spent,
    ...(json.ok ? ['refresh_token', 'access_token'].map((name) => textOf(json.value, name)) : []),
  ];
  if (json.ok && isErrorAnswer(json.value)) {
    const wait = json.value['retry_after'];
    const retryAfter =
      typeof wait === 'number' && wait >= 0 ? { retryAfter: String(Math.ceil(wait)) } : {};
    throw classifyFailure(
      program.name,
      { status: 400, json: json.value, secrets, ...retryAfter },
      now,
    );
  }
  const lastLine = harmless(withoutSecrets(stderr, secrets));
  const failed = (what: string): CodedError =>
    new CodedError(
      'PLUGIN_FAILED',
      `the token program of ${program.name} ${what}${lastLine === '' ? '' : `; stderr: ${lastLine}`}`,
      { provider: program.name, ...(exit === null ? {} : { exit }) },
    );
  if (exit !== 0)
    throw failed(exit === null ? 'was killed by a signal' : `failed with exit code ${exit}`);
  if (!json.ok) throw failed(`returned output that ${json.reason}`);
  try {
    return judgeTokenResponse(json.value, program.name, [spent]);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    throw failed(`returned an invalid answer: ${harmless(error.message)}`);
  }
}

// Runs a token program: the port that the host implements.

/** A program call; `seconds` is its time limit. */
export interface ProgramCall {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly seconds: number;
  readonly input: string;
}

/**
 * The output of a program. `stderr`: its last line on standard error, unmodified.
 * `failure`: the error of a killed program; the caller must throw it after saving what
 * must not be lost from `output`.
 */
export interface ProgramAnswer {
  readonly failure?: CodedError;
  readonly exit: number | null;
  readonly output: string;
  readonly stderr: string;
}

/** Runs a program until it exits. */
export type RunProgram = (call: ProgramCall) => Promise<ProgramAnswer>;
