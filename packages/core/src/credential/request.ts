// The request of a user's submit: the key file written by CredD, parsed strictly to
// prevent injection.
import { isCoded } from '../base/errors/errors.ts';
import { secureEndpoint } from '../base/http/endpoint.ts';
import { readKeyAds, refuseKeyFile, type KeyAd, type KeyAttribute } from './key-lines.ts';
import { cutDomain, isCredName, stemOf } from './name.ts';

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
