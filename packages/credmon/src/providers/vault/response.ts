// What a Vault's answer means: an access token, a revoked login, or trouble of one of
// three kinds.
import { CodedError, bodyText, isRecord, type HttpResponse } from '@credmon/core/base';
import { classifyFailure, harmless } from '@credmon/core/oauth';
import { judgeTokenResponse, parseObject, withoutSecrets } from '@credmon/core/credential';

/**
 * The access token in an answer.
 * @param vaultToken what was sent, so that no error repeats it
 * @throws CodedError `GRANT_REVOKED` when the Vault says "permission denied";
 * `ISSUER_BUSY`, `ISSUER_UNREACHABLE` or `ISSUER_ANSWER_INVALID` for what time may fix
 * @see https://developer.hashicorp.com/vault/api-docs (status codes, errors)
 */
export function tokenInAnswer(
  response: HttpResponse,
  { service, vaultToken, now }: { service: string; vaultToken: string; now: number },
): string {
  const object = parseObject(bodyText(response.body));
  const json = object.ok ? object.value : {};
  if (response.status !== 200) throw failure(response, json, { service, vaultToken, now });
  const { data } = json;
  if (!isRecord(data)) throw invalid(service, 'it holds no data');
  const { accessToken } = judgeTokenResponse({ access_token: data['access_token'] }, service);
  if (!/^[\w.~+/-]+=*$/.test(accessToken) || isJson(accessToken))
    throw invalid(service, 'its access token is not a bearer token (RFC 6750, section 2.1)');
  return accessToken;
}

function failure(
  { status, headers }: HttpResponse,
  json: Readonly<Record<string, unknown>>,
  { service, vaultToken, now }: { service: string; vaultToken: string; now: number },
): CodedError {
  // Decided before anything is masked: a short Vault token may be a part of the text.
  const errors = errorsOf(json);
  const said = harmless(withoutSecrets(errors, [vaultToken]));
  if (status === 403 && /permission denied/i.test(errors)) {
    return new CodedError(
      'GRANT_REVOKED',
      `the Vault of ${service} answered "permission denied": it has revoked the user's Vault token, or the token has expired`,
      { provider: service, status },
    );
  }
  const retryAfter = headers['retry-after'];
  const plain = classifyFailure(
    service,
    { status, ...(retryAfter === undefined ? {} : { retryAfter }) },
    now,
  );
  // A 401 here comes from something in front of the Vault, which asks for no client.
  const code = plain.code === 'CLIENT_REFUSED' ? 'ISSUER_ANSWER_INVALID' : plain.code;
  const what = said === '' ? '' : ` (${said})`;
  return new CodedError(
    code,
    `the Vault of ${service} answered HTTP status ${status}${what}`,
    plain.fields,
  );
}

function errorsOf({ errors }: Readonly<Record<string, unknown>>): string {
  const texts = Array.isArray(errors) ? errors.filter((each) => typeof each === 'string') : [];
  return texts.join('; ');
}

/**
 * A bare `.use` of digits alone would read as JSON, which no reader takes for a token.
 */
function isJson(text: string): boolean {
  return /^(true|false|null|-?\d+(\.\d+)?([eE][+-]?\d+)?)$/.test(text);
}

function invalid(service: string, what: string): CodedError {
  return new CodedError('ISSUER_ANSWER_INVALID', `invalid Vault response for ${service}: ${what}`, {
    provider: service,
  });
}
