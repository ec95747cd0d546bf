// Settings of the clients that work without a browser: client credentials (CLIENT), token
// exchange (EXCHANGE, PELICAN).
import { messageOf, secureEndpoint } from '@credmon/core/base';
import { readIssuerPolicy, type IssuerPolicy } from '@credmon/core/profiles';
import { knob, ownKnob, type CLIENT_KINDS, type KnobReader } from '@credmon/core/config';

/**
 * A configured client; the secret is read from its file for every renewal. Without a token
 * URL, the profile or the issuer's metadata names it.
 */
export interface ConfiguredClient {
  readonly clientId: string;
  readonly tokenUrl: string | undefined;
  readonly secretFile: string | undefined;
  readonly policy: IssuerPolicy;
}

/** Returns the server that a client asks, for limits and the circuit breaker. */
export function serverOf({ tokenUrl, policy }: ConfiguredClient): string {
  return tokenUrl ?? policy.endpoints.tokenUrl ?? policy.issuer ?? '';
}

/** The kinds of clients: the prefixes of their knobs. */
export type ClientKind = (typeof CLIENT_KINDS)[number];

const PROOFS = ['post', 'basic', 'basic_plain', 'private_key_jwt', 'none'] as const;

/** How a client authenticates. @see RFC 6749, section 2.3.1; RFC 7523 */
type ClientProof = (typeof PROOFS)[number];

/**
 * The client of a provider. `secretFile` contains the secret, or the PEM key for
 * private_key_jwt; `scopes` is a template.
 */
export interface TokenClient {
  readonly kind: ClientKind;
  readonly name: string;
  readonly clientId: string;
  readonly secretFile: string | undefined;
  readonly proof: ClientProof;
  readonly keyId: string | undefined;
  readonly tokenUrl: string | undefined;
  readonly issuers: readonly string[];
  readonly scopes: string;
  /** What depends on the issuer: rules for scopes, further parameters, errors. */
  readonly policy: IssuerPolicy;
  readonly audience: readonly string[];
  readonly resources: readonly string[];
  /** True: `.use` is JSON; false: the bare token. */
  readonly json: boolean;
  /** How long the issuer's metadata is cached, in seconds. */
  readonly endpointLifetime: number;
}

/**
 * Reads the clients of a kind; a knob of the provider wins over a knob of the kind.
 * Mistakes are added to `read`.
 */
export function readTokenClients(
  read: KnobReader,
  kind: ClientKind,
  names: readonly string[],
  allowLoopbackHttp: boolean,
): TokenClient[] {
  if (kind === 'PELICAN' && names.length > 0) warnOfTrust(read);
  return [...new Set(names)].map((name) => {
    const client = readClient(read, kind, name, allowLoopbackHttp);
    checkUrls(read, client, allowLoopbackHttp);
    checkClient(read, client);
    return client;
  });
}

/** Warns about a knob that has no effect here. */
function warnOfTrust(read: KnobReader): void {
  const skip = read.string('PELICAN_CREDMON_TLS_SKIP_VERIFY')?.toLowerCase() ?? '';
  if (['1', 'true', 'yes', 'on'].includes(skip))
    read.warning(
      'PELICAN_CREDMON_TLS_SKIP_VERIFY',
      'ignored: certificates are always verified; set PELICAN_CREDMON_CA_FILE ' +
        'to the certificate authority of the issuers',
    );
}

function readClient(
  read: KnobReader,
  kind: ClientKind,
  name: string,
  allowLoopbackHttp: boolean,
): TokenClient {
  const pelican = kind === 'PELICAN' ? readPelican(read, name) : undefined;
  const json = read.boolean(knob('<KIND>_CREDMON_TOKEN_USE_JSON', kind));
  return {
    kind,
    name,
    clientId:
      read.string(ownKnob('<KIND>_CREDMON_CLIENT_ID', kind, name)) ??
      pelican?.clientId ??
      read.string(knob('<KIND>_CREDMON_CLIENT_ID', kind)) ??
      '',
    secretFile:
      read.path(ownKnob('<KIND>_CREDMON_CLIENT_SECRET_FILE', kind, name)) ??
      pelican?.secretFile ??
      read.path(knob('<KIND>_CREDMON_CLIENT_SECRET_FILE', kind)),
    proof: readProof(read, kind, name),
    keyId:
      read.string(ownKnob('<KIND>_CREDMON_KEY_ID', kind, name)) ??
      read.string(knob('<KIND>_CREDMON_KEY_ID', kind)),
    tokenUrl:
      read.string(ownKnob('<KIND>_CREDMON_TOKEN_URL', kind, name)) ??
      pelican?.tokenUrl ??
      read.string(knob('<KIND>_CREDMON_TOKEN_URL', kind)),
    issuers:
      read.list(ownKnob('<KIND>_CREDMON_ISSUER', kind, name)) ??
      read.list(knob('<KIND>_CREDMON_ISSUER', kind)) ??
      [],
    scopes:
      read.string(ownKnob('<KIND>_CREDMON_AUTHZ_TEMPLATE', kind, name)) ??
      read.string(knob('<KIND>_CREDMON_AUTHZ_TEMPLATE', kind)) ??
      '',
    policy: readIssuerPolicy(read, name, allowLoopbackHttp),
    audience:
      read.list(ownKnob('<KIND>_CREDMON_TOKEN_AUDIENCE', kind, name)) ??
      read.list(knob('<KIND>_CREDMON_TOKEN_AUDIENCE', kind)) ??
      [],
    resources:
      read.list(ownKnob('<KIND>_CREDMON_RESOURCE', kind, name)) ??
      read.list(knob('<KIND>_CREDMON_RESOURCE', kind)) ??
      [],
    json: read.boolean(ownKnob('<KIND>_CREDMON_TOKEN_USE_JSON', kind, name)) ?? json,
    endpointLifetime: read.duration(knob('<KIND>_CREDMON_TOKEN_ENDPOINT_LIFETIME', kind)),
  };
}

/** The reference's knobs for the client of a Pelican provider. */
function readPelican(
  read: KnobReader,
  name: string,
): { clientId: string | undefined; secretFile: string | undefined; tokenUrl: string | undefined } {
  return {
    clientId: read.string(knob('<PROVIDER>_PELICAN_CLIENT_ID', name)),
    secretFile: read.path(knob('<PROVIDER>_PELICAN_CLIENT_SECRET_FILE', name)),
    tokenUrl: read.string(knob('<PROVIDER>_PELICAN_TOKEN_URL', name)),
  };
}

function readProof(read: KnobReader, kind: ClientKind, name: string): ClientProof {
  const value =
    read.string(ownKnob('<KIND>_CREDMON_CLIENT_AUTH', kind, name)) ??
    read.string(knob('<KIND>_CREDMON_CLIENT_AUTH', kind));
  const found = PROOFS.find((proof) => proof === value.toLowerCase());
  if (found === undefined)
    read.mistake(
      `${kind}_CREDMON_${name}_CLIENT_AUTH`,
      `is ${JSON.stringify(value)}; it must be ${PROOFS.slice(0, -1).join(', ')} or ${PROOFS.at(-1)}`,
    );
  return found ?? 'post';
}

function checkUrls(
  read: KnobReader,
  { kind, name, tokenUrl, issuers }: TokenClient,
  allowLoopbackHttp: boolean,
): void {
  const check = (url: string, knob: string): URL | undefined => {
    try {
      return secureEndpoint(url, knob, allowLoopbackHttp);
    } catch (error) {
      read.mistake(knob, `is unusable: ${messageOf(error)}`);
      return undefined;
    }
  };
  if (tokenUrl !== undefined) check(tokenUrl, `${kind}_CREDMON_${name}_TOKEN_URL`);
  for (const issuer of issuers) {
    const knob = `${kind}_CREDMON_${name}_ISSUER`;
    const url = check(issuer, knob);
    if (url && url.search !== '') read.mistake(knob, 'must not have a query');
  }
}

function checkClient(read: KnobReader, client: TokenClient): void {
  const { kind, name, issuers, tokenUrl, proof } = client;
  const mistake = (knob: string, what: string): void =>
    read.mistake(`${kind}_CREDMON_${name}_${knob}`, what);
  if (client.clientId === '') mistake('CLIENT_ID', 'is not set');
  if (client.secretFile === undefined && (kind === 'CLIENT' || proof === 'private_key_jwt'))
    mistake('CLIENT_SECRET_FILE', 'is not set');
  if (kind === 'CLIENT' && issuers.length > 1)
    mistake('ISSUER', 'has several issuers; only one is allowed');
  if (kind === 'CLIENT' && issuers.length === 0 && tokenUrl === undefined)
    mistake('TOKEN_URL', 'is not set, and there is no ISSUER with metadata for it');
  if (kind !== 'CLIENT' && issuers.length === 0)
    mistake(
      'ISSUER',
      'is not set; it decides whose tokens are accepted and where the secret may be sent',
    );
  if (issuers.length > 1 && tokenUrl !== undefined)
    mistake(
      'TOKEN_URL',
      'is set for several issuers; remove it to use the metadata of each issuer',
    );
  if (proof === 'private_key_jwt' && issuers.length === 0)
    mistake('ISSUER', 'is not set, but private_key_jwt needs an issuer');
  const problem = templateProblem(client.scopes);
  if (problem !== undefined) mistake('AUTHZ_TEMPLATE', problem);
}

// Scopes from a template with the user's name, as in the knobs AUTHZ_TEMPLATE.

/**
 * Returns the template with `{username}` filled in; `{{` and `}}` are braces.
 * @see https://htcondor.readthedocs.io/en/latest/admin-manual/file-and-cred-transfer.html
 */
export function scopesFor(template: string, username: string): string {
  return template.replaceAll(/\{\{|\}\}|\{username\}/g, (found) =>
    found === '{username}' ? username : found.slice(1),
  );
}

/** Returns what is wrong with a template, as the end of a sentence, if anything. */
function templateProblem(template: string): string | undefined {
  const invalid = /\{[^{}]*\}|[{}]/.exec(template.replaceAll(/\{\{|\}\}|\{username\}/g, ''))?.[0];
  return invalid === undefined
    ? undefined
    : `contains ${JSON.stringify(invalid)}; {username} is the only field, {{ and }} are braces`;
}
