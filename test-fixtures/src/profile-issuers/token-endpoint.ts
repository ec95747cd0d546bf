// The authorization, token and revocation endpoints of an issuer, by its answers.
import { createHash } from 'node:crypto';
import { oauthError, type Failure, type IssuerAnswers, type OtherToken } from './answers.ts';
import { signedIdToken } from '../issuer/signed-id-token.ts';

/** The registered client. */
export interface RegisteredClient {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUris: readonly string[];
  /** Scopes that it may ask for; without them, all. */
  readonly scopes?: readonly string[];
}

/** How the answers of a test differ from those of the issuer. */
export interface Deviation {
  /** Scopes that are granted besides. */
  readonly wider?: readonly string[];
  /** Scopes that are not granted. */
  readonly without?: readonly string[];
  /** True: a login gets no refresh token. */
  readonly noRefreshToken?: boolean;
  /** Members that replace those of a token answer. */
  readonly answer?: Readonly<Record<string, unknown>>;
  /** A failure instead of each token answer. */
  readonly failure?: Failure;
  /** Claims that replace those of ID tokens. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** How a token answer is sent. */
  readonly sent?: Sending;
}

/** How an answer is sent: as a form, with another content type or status, after a text. */
export interface Sending {
  readonly form?: boolean;
  readonly contentType?: string;
  readonly status?: number;
  readonly before?: string;
}

/** An answer of an endpoint: JSON, a form, or a redirect. */
export interface Answer {
  readonly status: number;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly location?: string;
  readonly sent?: Sending | undefined;
}

/** What a user consented to. */
interface Grant {
  readonly scopes: readonly string[];
  readonly nonce: string | null;
}

interface Code extends Grant {
  readonly redirectUri: string;
  readonly challenge: string | null;
  readonly refresh: boolean;
}

/** The endpoints of one running issuer. Times in epoch seconds. */
export class IssuerEndpoints {
  deviation: Deviation = {};
  /** Access tokens that are valid. */
  readonly live = new Set<string>();
  private readonly codes = new Map<string, Code>();
  private readonly grants = new Map<string, Grant>();
  private consented = false;
  private serial = 0;

  private readonly answers: IssuerAnswers;
  private readonly client: RegisteredClient;
  private readonly issuer: string;

  /** `issuer` is its identifier in callbacks and ID tokens. */
  constructor(answers: IssuerAnswers, client: RegisteredClient, issuer: string) {
    this.answers = answers;
    this.client = client;
    this.issuer = issuer;
  }

  /** Makes all refresh tokens invalid: the user withdrew the consent. */
  endGrants(): void {
    this.grants.clear();
  }

  /** The user consents at once. */
  authorize(query: URLSearchParams): Answer {
    const redirectUri = query.get('redirect_uri') ?? '';
    // No redirect to an unknown address (RFC 6749, section 4.1.2.1).
    if (query.get('client_id') !== this.client.clientId) return refusal('unknown client');
    if (!this.client.redirectUris.includes(redirectUri)) return refusal('unknown redirect_uri');
    const back = new URL(redirectUri);
    const give = (values: Readonly<Record<string, unknown>>): Answer => {
      for (const [name, value] of Object.entries(values))
        back.searchParams.set(name, String(value));
      back.searchParams.set('state', query.get('state') ?? '');
      if (this.answers.sendsIssuer === true) back.searchParams.set('iss', this.issuer);
      return { status: 302, location: back.href };
    };
    const refused = refusedIn(this.answers, query);
    if (refused) return give(refused.body);
    if (query.get('response_type') !== 'code') return give({ error: 'unsupported_response_type' });
    const asked = wordsOf(query.get('scope'));
    const scopes = asked.filter((scope) => this.mayAskFor(scope));
    if (this.answers.refusesScopes === true && scopes.length < asked.length) {
      const error_description = `Invalid scopes: ${asked.join(' ')}`;
      return give({ error: 'invalid_scope', error_description });
    }
    const code = `code-${(this.serial += 1)}`;
    this.codes.set(code, {
      scopes,
      nonce: query.get('nonce'),
      redirectUri,
      challenge: query.get('code_challenge'),
      refresh: this.givesRefresh(query, scopes),
    });
    this.consented = true;
    return give({ ...this.answers.callback, code });
  }

  private mayAskFor(scope: string): boolean {
    return this.client.scopes?.includes(scope) ?? true;
  }

  private givesRefresh(query: URLSearchParams, scopes: readonly string[]): boolean {
    const { refresh, again } = this.answers;
    if (refresh === 'never') return false;
    const asked = (wanted: Readonly<Record<string, string>>): boolean =>
      Object.entries(wanted).every(([name, value]) => query.get(name) === value);
    if (again && this.consented && !asked(again.parameters)) return false;
    if (refresh === 'always') return true;
    return 'scope' in refresh ? scopes.includes(refresh.scope) : asked(refresh.parameters);
  }

  /** The token endpoint; `now` in epoch seconds. */
  token(form: URLSearchParams, authorization: string | undefined, now: number): Answer {
    const { failures, authentication } = this.answers;
    const proof = proofOf(form, authorization);
    const { clientId, clientSecret } = this.client;
    const isKnown = proof.clientId === clientId && proof.secret === clientSecret;
    if (!isKnown || !authentication.includes(proof.method)) return failures.client;
    const { failure } = this.deviation;
    if (failure) return failure;
    const refused = refusedIn(this.answers, form);
    if (refused) return refused;
    switch (form.get('grant_type')) {
      case 'authorization_code':
        return this.redeem(form, now);
      case 'refresh_token':
        return this.refresh(form, now);
      case 'urn:ietf:params:oauth:grant-type:device_code':
        return this.redeemDevice(form, now);
      default:
        return oauthError('unsupported_grant_type');
    }
  }

  private redeem(form: URLSearchParams, now: number): Answer {
    const code = form.get('code') ?? '';
    const grant = this.codes.get(code);
    this.codes.delete(code);
    const verifier = form.get('code_verifier');
    const challenge =
      verifier === null ? null : createHash('sha256').update(verifier).digest('base64url');
    if (!grant || grant.redirectUri !== form.get('redirect_uri') || grant.challenge !== challenge)
      return this.answers.failures.code;
    const refreshes = grant.refresh && this.deviation.noRefreshToken !== true;
    return this.issue(grant, now, refreshes ? this.newGrant(grant) : undefined);
  }

  /** The user confirms a device at once. @see RFC 8628, section 3.2 */
  device(form: URLSearchParams, verificationUri: string): Answer {
    if (form.get('client_id') !== this.client.clientId) return this.answers.failures.client;
    const code = `device-${(this.serial += 1)}`;
    const scopes = wordsOf(form.get('scope'));
    const refresh = this.givesRefresh(form, scopes);
    this.codes.set(code, { scopes, nonce: null, redirectUri: '', challenge: null, refresh });
    const body = { device_code: code, user_code: 'WDJB-MJHT', verification_uri: verificationUri };
    return { status: 200, body: { ...body, expires_in: 900, interval: 1 } };
  }

  private redeemDevice(form: URLSearchParams, now: number): Answer {
    const code = form.get('device_code') ?? '';
    const grant = this.codes.get(code);
    this.codes.delete(code);
    if (!grant) return this.answers.failures.code;
    return this.issue(grant, now, grant.refresh ? this.newGrant(grant) : undefined);
  }

  private refresh(form: URLSearchParams, now: number): Answer {
    const { refreshNeeds, rotation, failures } = this.answers;
    const token = form.get('refresh_token') ?? '';
    const grant = this.grants.get(token);
    if (!grant) return failures.grant;
    if (refreshNeeds && !form.has(refreshNeeds.parameter)) return refreshNeeds.failure;
    if (rotation === 'single-use') {
      this.grants.delete(token);
      this.live.clear();
    }
    const next =
      rotation === 'none' ? undefined : rotation === 'repeated' ? token : this.newGrant(grant);
    return this.issue({ ...grant, nonce: null }, now, next);
  }

  /** Each of several tokens has its own refresh token. */
  private newGrant({ scopes, nonce }: Grant): string {
    const token = `refresh-${this.answers.profile}-${(this.serial += 1)}`;
    this.grants.set(token, { scopes: this.answers.tokens?.(scopes)[0]?.scopes ?? scopes, nonce });
    return token;
  }

  private issue(grant: Grant, now: number, refreshToken: string | undefined): Answer {
    const { answers, deviation } = this;
    const { wider = [], without = [] } = deviation;
    const all = [...(answers.grants?.(grant.scopes) ?? grant.scopes), ...wider];
    const granted = all.filter((scope) => !without.includes(scope));
    const named =
      answers.grants !== undefined ||
      this.client.scopes !== undefined ||
      wider.length + without.length > 0;
    const [first, ...others] = answers.tokens?.(granted) ?? [];
    const token = (scopes: readonly string[] | undefined): Record<string, unknown> => ({
      access_token: this.accessToken(),
      token_type: 'Bearer',
      ...(answers.lifetime === undefined ? {} : { expires_in: answers.lifetime }),
      ...(scopes === undefined ? {} : { scope: scopes.join(answers.separator ?? ' ') }),
    });
    const main = token(first?.scopes ?? (named ? granted : undefined));
    const body = {
      ...main,
      ...answers.extra,
      ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
      ...(first ? { resource_server: first.resourceServer } : {}),
      ...(first ? { other_tokens: others.map((other) => this.otherToken(other, token)) } : {}),
      ...(granted.includes('openid') && answers.endpoints.jwks !== undefined
        ? { id_token: this.idToken(grant, String(main['access_token']), now) }
        : {}),
      ...deviation.answer,
    };
    return { status: 200, body, sent: deviation.sent };
  }

  private otherToken(
    { resourceServer, scopes }: OtherToken,
    token: (scopes: readonly string[]) => Record<string, unknown>,
  ): Record<string, unknown> {
    const refreshToken = `refresh-of-${resourceServer}-${(this.serial += 1)}`;
    this.grants.set(refreshToken, { scopes, nonce: null });
    return { ...token(scopes), resource_server: resourceServer, refresh_token: refreshToken };
  }

  private accessToken(): string {
    const token = `access-${this.answers.profile}-${(this.serial += 1)}`;
    this.live.add(token);
    return token;
  }

  private idToken({ nonce }: Grant, accessToken: string, now: number): string {
    const hash = createHash('sha256').update(accessToken).digest().subarray(0, 16);
    return signedIdToken({
      iss: this.issuer,
      aud: this.client.clientId,
      sub: 'user-1',
      iat: now,
      exp: now + 600,
      ...(nonce === null ? {} : { nonce }),
      ...(this.answers.hashesToken === true ? { at_hash: hash.toString('base64url') } : {}),
      ...this.answers.claims,
      ...this.deviation.claims,
    });
  }

  /** @see RFC 7009, section 2.2: the answer is the same for an unknown token */
  revoke(form: URLSearchParams): Answer {
    this.grants.delete(form.get('token') ?? '');
    this.live.delete(form.get('token') ?? '');
    return { status: 200 };
  }
}

function refusal(reason: string): Answer {
  return { status: 400, body: { error: 'invalid_request', error_description: reason } };
}

function refusedIn({ refused = {} }: IssuerAnswers, form: URLSearchParams): Failure | undefined {
  return Object.entries(refused).find(([name]) => form.has(name))?.[1];
}

function wordsOf(text: string | null): readonly string[] {
  return (text ?? '').split(' ').filter((word) => word !== '');
}

interface Proof {
  readonly method: 'post' | 'basic';
  readonly clientId: string | null | undefined;
  readonly secret: string | null | undefined;
}

/** @see RFC 6749, section 2.3.1 */
function proofOf(form: URLSearchParams, authorization: string | undefined): Proof {
  const encoded = /^Basic (.+)$/.exec(authorization ?? '')?.[1];
  if (encoded === undefined)
    return {
      method: 'post',
      clientId: form.get('client_id'),
      secret: form.get('client_secret'),
    };
  const [clientId, secret] = Buffer.from(encoded, 'base64')
    .toString('utf8')
    .split(':')
    .map((part) => decodeURIComponent(part.replaceAll('+', ' ')));
  return { method: 'basic', clientId, secret };
}
