// `--check` sends requests with a forged REMOTE_USER header to the proxy and asks the
// portal whether the forged name arrived.
import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { request } from 'node:http';
import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import {
  messageOf,
  networkFailure,
  serverOf,
  systemClock,
  type Trust,
  type Finding,
} from '@credmon/core/base';
import {
  forgeries,
  makeQuestion,
  PROOF_PATH,
  proxyFindings,
  readAnswer,
  type Forgery,
  type Trial,
} from '../check/proxy-config.ts';
import { readCookieSecret } from '../session-store/session-directory.ts';
import type { Settings } from '../settings/settings.ts';

/** Tests the proxy; no findings if no REMOTE_USER header is configured. */
export async function checkProxy(settings: Settings, trust: Trust): Promise<readonly Finding[]> {
  const { remoteUser, prefix } = settings;
  if (!remoteUser) return [];
  const findings = (trials: readonly Trial[]): readonly Finding[] =>
    proxyFindings(remoteUser.header, prefix, trials);
  let secret: string | undefined;
  try {
    secret = await readCookieSecret(settings, trust);
  } catch (error) {
    return findings([{ kind: 'failed', why: messageOf(error) }]);
  }
  if (secret === undefined)
    return findings([
      { kind: 'failed', why: 'the portal has not been started with this session store yet' },
    ]);
  const visitor: Visitor = { settings, trust, secret };
  const trials = await visit(visitor, undefined, remoteUser.header);
  // Also test the proxy on this host, if the name does not resolve or resolves to another
  // host, such as a load balancer.
  const elsewhere = !(await isHere(new URL(prefix).hostname));
  const here = elsewhere ? await visit(visitor, '127.0.0.1', remoteUser.header) : [];
  return findings([...trials, ...here]);
}

/** Data that all requests need. */
interface Visitor {
  readonly settings: Settings;
  readonly trust: Trust;
  readonly secret: string;
}

/**
 * Sends all forgeries to `address` or, without it, to the host name. The first one is
 * plain: without an answer to it, the others prove nothing.
 */
async function visit(
  visitor: Visitor,
  address: string | undefined,
  header: string,
): Promise<Trial[]> {
  const question = (): ReturnType<typeof makeQuestion> =>
    makeQuestion(visitor.secret, randomBytes(16).toString('hex'), systemClock.now());
  const first = question();
  const [plain, ...others] = forgeries(header, first.forged);
  const trials = plain ? [await attempt(visitor, address, first.token, plain)] : [];
  if (trials[0]?.kind !== 'answered') return trials;
  for (const [index] of others.entries()) {
    const next = question();
    const forgery = forgeries(header, next.forged)[index + 1];
    if (forgery) trials.push(await attempt(visitor, address, next.token, forgery));
  }
  return trials;
}

async function attempt(
  { settings, trust, secret }: Visitor,
  address: string | undefined,
  token: string,
  { how, headers }: Forgery,
): Promise<Trial> {
  const url = new URL(`${settings.prefix}${PROOF_PATH}/${token}`);
  try {
    const { status, text } = await ask(url, address, headers, { settings, trust });
    const arrived = readAnswer(secret, token, text);
    if (arrived !== undefined) return { kind: 'answered', how, arrived };
    return { kind: 'failed', why: `HTTP status ${status} instead of a response of the portal` };
  } catch (error) {
    const server = { ...serverOf(url.href), address };
    const text = await networkFailure(error, server, trust.remedy);
    const [why = text, fix] = text.split('; fix: ', 2);
    return { kind: 'failed', why, fix };
  }
}

/**
 * Sends a request and returns the status and the beginning of the text.
 * @throws the system error, or Error after the timeout
 */
function ask(
  url: URL,
  address: string | undefined,
  headers: Forgery['headers'],
  { settings, trust }: Pick<Visitor, 'settings' | 'trust'>,
): Promise<{ readonly status: number; readonly text: string }> {
  const { hostname, port } = serverOf(url.href);
  const name = hostname.replaceAll(/^\[|\]$/g, '');
  const seconds = settings.connectSeconds + settings.requestSeconds;
  const place = { host: address ?? name, port };
  const secure = (): TLSSocket =>
    connect({
      ...place,
      secureContext: trust.current().context,
      servername: isIP(name) === 0 ? name : undefined,
    });
  return new Promise((resolve, reject) => {
    const sent = request({
      ...place,
      path: url.pathname,
      headers: { host: url.host, ...headers },
      signal: AbortSignal.timeout(1000 * seconds),
      ...(url.protocol === 'https:' ? { createConnection: secure } : { agent: false }),
    });
    sent.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        if (text.length < 10_000) text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', reject);
    });
    sent.on('error', (error) =>
      reject(
        /^(?:Abort|Timeout)Error$/.test(error.name)
          ? new Error(`no answer within ${seconds} s`)
          : error,
      ),
    );
    sent.end();
  });
}

async function isHere(name: string): Promise<boolean> {
  try {
    const found = await lookup(name.replaceAll(/^\[|\]$/g, ''), { all: true });
    return found.every(({ address }) => address === '::1' || address.startsWith('127.'));
  } catch {
    // The name does not resolve here.
    return false;
  }
}
