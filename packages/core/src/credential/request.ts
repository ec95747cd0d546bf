// The request of a user's submit: the key file written by CredD, parsed strictly to
// prevent injection. Its lines are only the subset of old ClassAd syntax that CredD writes.
import { CodedError, isCoded } from '../base/errors/errors.ts';
import { secureEndpoint } from '../base/http/endpoint.ts';
import { cutDomain, isCredName, stemOf } from './file-names.ts';

/**
 * One token to log in for. `scopes` and `audience` are byte for byte CredD's texts; the
 * URLs are https, or loopback http if allowed; those of endpoints may be empty.
 */
export interface ProviderRequest {
  readonly provider: string;
  readonly handle: string;
  /** The stem of the token's file names: `provider` or `provider_handle`. */
  readonly stem: string;
  readonly scopes: string;
  readonly audience: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly returnUrl: string;
  readonly authorizationUrl: string;
  readonly tokenUrl: string;
}

/** A key file: the user and the requested tokens. */
export interface CredentialRequest {
  /** The account on the Access Point, without its domain; safe as a file name. */
  readonly localUser: string;
  readonly requests: readonly ProviderRequest[];
}

/** More than any real submit file requests. */
const MAX_REQUESTS = 100;

/**
 * Parses a key file. Anything that CredD would not write rejects the whole file.
 * @param options `allowLoopbackHttp`: knob CREDMON_ALLOW_LOOPBACK_HTTP
 * @throws CodedError `KEY_FILE_INVALID` with the line and the reason, never a value
 * @see https://htcondor.readthedocs.io/en/latest/admin-manual/file-and-cred-transfer.html
 */
export function readCredentialRequest(
  bytes: Uint8Array,
  options: { readonly allowLoopbackHttp: boolean },
): CredentialRequest {
  const ads = readKeyAds(bytes);
  if (ads.length > MAX_REQUESTS) throw refuseKeyFile(1, `more than ${MAX_REQUESTS} requests`);
  const requests: ProviderRequest[] = [];
  let localUser: string | undefined;
  for (const ad of ads) {
    const user = readLocalUser(ad);
    if (localUser !== undefined && user.value !== localUser)
      throw refuseKeyFile(user.line, 'LocalUser differs from that of the first request');
    localUser = user.value;
    const request = readRequest(ad, options.allowLoopbackHttp);
    if (requests.some(({ stem }) => stem === request.stem))
      throw refuseKeyFile(ad.line, 'two requests for the same token');
    requests.push(request);
  }
  return { localUser: localUser ?? '', requests };
}

function readRequest(ad: KeyAd, allowLoopbackHttp: boolean): ProviderRequest {
  const provider = name(attribute(ad, 'Provider'));
  const handle = attribute(ad, 'Handle');
  if (handle.value !== '') name(handle);
  const stem = stemOf(provider, handle.value);
  if (!isCredName(stem))
    throw refuseKeyFile(handle.line, 'Provider and Handle together are too long');
  const clientId = attribute(ad, 'ClientId');
  if (clientId.value === '') throw refuseKeyFile(clientId.line, 'ClientId is empty');
  return {
    provider,
    handle: handle.value,
    stem,
    scopes: attribute(ad, 'Scopes').value,
    audience: attribute(ad, 'Audience').value,
    clientId: clientId.value,
    clientSecret: attribute(ad, 'ClientSecret').value,
    returnUrl: url(attribute(ad, 'ReturnUrl'), allowLoopbackHttp),
    authorizationUrl: endpoint(attribute(ad, 'AuthorizationUrl'), allowLoopbackHttp),
    tokenUrl: endpoint(attribute(ad, 'TokenUrl'), allowLoopbackHttp),
  };
}

function attribute(ad: KeyAd, wanted: string): KeyAttribute {
  const found = ad.attributes.get(wanted.toLowerCase());
  if (!found) throw refuseKeyFile(ad.line, `the request starting here has no ${wanted}`);
  return { ...found, name: wanted };
}

function name(field: KeyAttribute): string {
  if (!isCredName(field.value))
    throw refuseKeyFile(field.line, `${field.name} is not a name that CredD allows`);
  return field.value;
}

/**
 * The domain is cut off but must be valid, too: CredD does not write a path after the
 * `@`.
 */
function readLocalUser(ad: KeyAd): KeyAttribute {
  const field = attribute(ad, 'LocalUser');
  if (!/^[A-Za-z0-9+=_.@-]*$/.test(field.value))
    throw refuseKeyFile(field.line, 'LocalUser is not a name that CredD allows');
  const value = cutDomain(field.value);
  name({ ...field, value });
  return { ...field, value };
}

/**
 * CredD writes an empty text for a knob that is not set: the profile or the issuer's
 * metadata then names the endpoint.
 */
function endpoint(field: KeyAttribute, allowLoopbackHttp: boolean): string {
  return field.value === '' ? '' : url(field, allowLoopbackHttp);
}

function url(field: KeyAttribute, allowLoopbackHttp: boolean): string {
  if (!/^[!-~]+$/.test(field.value))
    throw refuseKeyFile(
      field.line,
      `${field.name} is empty or contains characters that are invalid in a URL`,
    );
  try {
    secureEndpoint(field.value, field.name, allowLoopbackHttp);
  } catch (error) {
    if (!isCoded(error, 'ENDPOINT_REFUSED')) throw error;
    throw refuseKeyFile(field.line, error.message);
  }
  return field.value;
}

/** An attribute and its line number (from 1). */
interface KeyAttribute {
  readonly name: string;
  readonly value: string;
  readonly line: number;
}

/**
 * The attributes between two blank lines, by lower-case name, and the line number (from
 * 1) of the first.
 */
interface KeyAd {
  readonly line: number;
  readonly attributes: ReadonlyMap<string, KeyAttribute>;
}

/** The maximum size of a key file in bytes; CredD writes about 700 for each request. */
export const MAX_KEY_FILE_BYTES: number = 256 * 1024;

/**
 * Creates the error that rejects the whole file. It quotes neither names nor values: both
 * may come from an attacker.
 */
function refuseKeyFile(line: number, reason: string): CodedError {
  return new CodedError('KEY_FILE_INVALID', `invalid key file: line ${line}: ${reason}`, {
    line,
    reason,
  });
}

/**
 * Splits a key file into its ads.
 *
 *     file      = ad *( 1*blank-line ad )
 *     ad        = 1*( name " = " DQUOTE *char DQUOTE LF )
 *     char      = any character except a control character and DQUOTE, or `\"`
 *
 * A backslash is data, except before a DQUOTE that is not the last character of its line.
 * CredD does not escape line feeds, so a submitter can inject lines. Injected lines never
 * match this grammar: the submitter cannot write a DQUOTE without a backslash.
 * @throws CodedError `KEY_FILE_INVALID` with the line and the reason
 */
function readKeyAds(bytes: Uint8Array): readonly KeyAd[] {
  const ads: KeyAd[] = [];
  let attributes: Map<string, KeyAttribute> | undefined;
  for (const [index, text] of decode(bytes).split('\n').entries()) {
    if (text === '') {
      attributes = undefined;
      continue;
    }
    const attribute = readLine(text, index + 1);
    if (attributes === undefined) {
      attributes = new Map();
      ads.push({ line: attribute.line, attributes });
    }
    const key = attribute.name.toLowerCase();
    if (attributes.has(key)) throw refuseKeyFile(attribute.line, 'duplicate attribute');
    attributes.set(key, attribute);
  }
  if (ads.length === 0) throw refuseKeyFile(1, 'no request');
  return ads;
}

function decode(bytes: Uint8Array): string {
  if (bytes.length > MAX_KEY_FILE_BYTES)
    throw refuseKeyFile(1, `file larger than ${MAX_KEY_FILE_BYTES} bytes`);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new CodedError(
      'KEY_FILE_INVALID',
      'invalid key file: not UTF-8 text',
      { reason: 'not UTF-8' },
      error,
    );
  }
}

function readLine(text: string, line: number): KeyAttribute {
  const match = /^([A-Za-z_][A-Za-z0-9_]*) = "(.*)"$/s.exec(text);
  const [, name, body] = match ?? [];
  if (name === undefined || body === undefined)
    throw refuseKeyFile(line, 'not of the form Name = "text"');
  if (hasControlCharacter(body)) throw refuseKeyFile(line, 'control character in the text');
  if (/(?<!\\)"/.test(body)) throw refuseKeyFile(line, 'unescaped quote in the text');
  return { name, value: body.replaceAll('\\"', '"'), line };
}

function hasControlCharacter(text: string): boolean {
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20 ? code !== 0x09 : code >= 0x7f && code <= 0x9f) return true;
  }
  return false;
}
