// The ways in which a browser may try to name a user to the portal, and what the trials
// of all of them say of the proxy.
import { ok, warning, wrong, type Finding } from './finding.ts';

/** A request's headers, and words for it. */
export interface Forgery {
  readonly how: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
}

/**
 * What became of a request: the portal said whether the forged name arrived, or did not
 * answer.
 */
export type Trial =
  | { readonly kind: 'answered'; readonly how: string; readonly arrived: boolean }
  | { readonly kind: 'failed'; readonly why: string };

/**
 * The requests that forge `header` (lower case) with the user name `forged`; the plain
 * one is the first.
 */
export function forgeries(header: string, forged: string): readonly Forgery[] {
  const basic = `Basic ${Buffer.from(`${forged}:x`).toString('base64')}`;
  return [
    { how: 'as it is configured', headers: { [header]: forged } },
    { how: 'in capitals', headers: { [header.toUpperCase()]: forged } },
    { how: 'twice', headers: { [header]: [forged, forged] } },
    { how: 'with _ in place of -', headers: { [header.replaceAll('-', '_')]: forged } },
    {
      how: 'named in Connection as well',
      headers: { [header]: forged, connection: `close, ${header}` },
    },
    // nginx takes $remote_user from this header, whether or not it has checked the
    // password.
    { how: 'as the user of HTTP Basic authentication', headers: { authorization: basic } },
  ];
}

/**
 * An error when a forged name arrived, a warning when nothing was proved. `prefix` is
 * where the requests were sent.
 */
export function judgeProxy(
  header: string,
  prefix: string,
  trials: readonly Trial[],
): readonly Finding[] {
  const what = 'proxy';
  const passed = trials.flatMap((one) => (one.kind === 'answered' && one.arrived ? [one.how] : []));
  if (passed.length > 0)
    return [
      wrong(
        what,
        `${prefix} passes ${header} from browsers to the portal (sent ${[...new Set(passed)].join('; ')}), so anyone can claim to be any user; ` +
          'fix: condor_credmon_webserver --print-proxy-config nginx (or apache), include that file in the proxy, and reload it',
      ),
    ];
  if (trials.some(({ kind }) => kind === 'answered'))
    return [ok(what, `${prefix} replaces ${header}: a forged user name did not reach the portal`)];
  const reasons = trials.flatMap((one) => (one.kind === 'failed' ? [one.why] : []));
  return [
    warning(
      what,
      `not tested whether ${prefix} replaces ${header}: ${[...new Set(reasons)].join('; ')}; ` +
        'fix: start portal and proxy, let requests below /proxy-check/ pass without signing in, and run --check on the host of the proxy',
    ),
  ];
}
