// Begins a login: stores state, nonce and verifier, and returns the authorization URL.
import { createHash } from 'node:crypto';
import { authorizationUrl, sendsChallenge } from '@credmon/core/oauth';
import { splitScopes } from '@credmon/core/credential';
import { CodedError } from '@credmon/core/base';
import { providerSettings, type Settings } from '../settings/settings.ts';
import { returnUrlProblem } from '../settings/addresses.ts';
import { newSecret, requireFlow, type PortalContext } from './context.ts';
import { liveLogins, loginCount, openAnswers } from './flow.ts';
import { MAX_LIVE_LOGINS, MAX_LOGINS } from './limits.ts';
import { checkName } from './name-refusal.ts';
import { readTokenRequest } from './read-request.ts';
import { resolveProvider } from './resolve-provider.ts';

/**
 * Begins a login for one token.
 * @returns the issuer's authorization URL
 * @throws CodedError `LOGIN_EXPIRED`, `LOGIN_REFUSED`, `PROVIDER_REFUSED`,
 * `RETURN_URL_REFUSED`, `ENDPOINT_REFUSED`, `SESSION_STORE_FULL`, and the errors of
 * reading the key file
 * @see RFC 7636 (PKCE); RFC 9700, section 4.7 (state)
 */
export async function beginLogin(
  context: PortalContext,
  id: string | undefined,
  stem: string,
): Promise<URL> {
  const { settings, ports } = context;
  const now = ports.clock.now();
  const flow = await requireFlow(context, id);
  const { loginSeconds } = settings;
  const waiting =
    liveLogins(flow, now, loginSeconds).length + openAnswers(flow, now, loginSeconds).length;
  if (waiting >= MAX_LIVE_LOGINS)
    throw new CodedError(
      'LOGIN_REFUSED',
      'too many logins of this session are in progress; finish one of them',
    );
  if (loginCount(flow) >= MAX_LOGINS)
    throw new CodedError(
      'LOGIN_REFUSED',
      'too many logins in this list; open the link from condor_submit again',
    );
  const request = readTokenRequest(context, flow, stem);
  checkName(settings, request);
  checkReturnUrl(settings, request.provider, request.returnUrl);
  const { policy } = providerSettings(settings, request.provider);
  const { registration, metadata } = await resolveProvider(context, request);
  const state = newSecret(context);
  const scope = [request.scopes, ...policy.scopes.extra].join(' ').trim();
  // Without the scope openid the issuer sends no ID token; with a nonce, core would
  // require one.
  const nonce = splitScopes(scope).includes('openid') ? newSecret(context) : undefined;
  const verifier = sendsChallenge(policy, metadata)
    ? newSecret(context) + newSecret(context)
    : undefined;
  const url = authorizationUrl(registration, {
    redirectUri: request.returnUrl,
    scope,
    audience: request.audience,
    state,
    nonce,
    codeChallenge:
      verifier === undefined
        ? undefined
        : createHash('sha256').update(verifier).digest('base64url'),
  });
  await ports.flows.append(id ?? '', {
    type: 'begun',
    at: now,
    state,
    stem,
    verifier,
    nonce,
    sendsIssuer: metadata?.sendsIssuer === true ? true : undefined,
  });
  ports.counters.login(request.provider, 'begun');
  // An issuer that does not know the redirect URI sends the browser no further.
  const { origin, pathname } = new URL(request.returnUrl);
  ports.log.info(
    `login of ${flow.localUser} for ${stem} begun at ${url.origin}, redirect URI ${origin}${pathname}`,
  );
  return url;
}

/**
 * The issuer redirects the browser to the return URL; if it is not a URL of this portal,
 * the login cannot complete.
 */
function checkReturnUrl(settings: Settings, provider: string, returnUrl: string): void {
  const problem = returnUrlProblem(settings, returnUrl);
  if (problem === undefined) return;
  throw new CodedError(
    'RETURN_URL_REFUSED',
    `the return URL of ${provider} ${problem}; fix ${provider}_RETURN_URL_SUFFIX or CREDMON_WEB_PREFIX`,
    { provider },
  );
}
