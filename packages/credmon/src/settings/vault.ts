// Reads the knobs of the other programs and servers that give tokens: the Vault, and the
// sites' own token programs (EXEC_CREDMON_*).
import { type KnobReader, knob, ownKnob, readNamedTrust } from '@credmon/core/config';
import { type IssuerPolicy, readIssuerPolicy } from '@credmon/core/profiles';
import { isAbsolute } from 'node:path';

/**
 * Hosts in lower case, without brackets; `minimumSeconds`: the lifetime requested from
 * the Vault; `refreshSeconds`: how often to read. Empty paths are not set.
 */
export interface VaultSettings {
  readonly hosts: readonly string[];
  readonly ports: readonly number[];
  readonly minimumSeconds: number;
  readonly refreshSeconds: number;
  /** Sent with every request; empty when there is none. */
  readonly namespace: string;
  readonly caFile: string | undefined;
  readonly caDirectory: string | undefined;
}

/**
 * Reads the Vault's knobs. The servers are TRUSTED_VAULT_HOSTS, as for CredD; if not set,
 * the server for htgettoken in SEC_CREDENTIAL_GETTOKEN_OPTS.
 */
export function readVaultSettings(read: KnobReader): VaultSettings {
  const trusted = read.list('TRUSTED_VAULT_HOSTS');
  const server = vaultServerOf(read.string('SEC_CREDENTIAL_GETTOKEN_OPTS') ?? '');
  const hosts = trusted ?? (server === undefined ? [] : [server.host]);
  const { caFile, caDirectory } = readNamedTrust(read);
  const minimumSeconds = read.integer('CREDMON_OAUTH_TOKEN_MINIMUM');
  return {
    hosts: hosts.map((host) => host.toLowerCase().replaceAll(/[[\]]/g, '')),
    ports: readPorts(read, server?.port),
    minimumSeconds,
    refreshSeconds: read.integer('CREDMON_OAUTH_TOKEN_REFRESH') ?? Math.floor(minimumSeconds / 2),
    namespace: readNamespace(read),
    caFile,
    caDirectory,
  };
}

/**
 * @see https://developer.hashicorp.com/vault/docs/enterprise/namespaces
 * (X-Vault-Namespace)
 */
function readNamespace(read: KnobReader): string {
  const namespace = read.string('CREDMON_VAULT_NAMESPACE') ?? '';
  if (/^[\w./-]*$/.test(namespace)) return namespace;
  read.mistake(
    'CREDMON_VAULT_NAMESPACE',
    'is not a namespace: letters, digits, "_", "-", "." and "/" only',
  );
  return '';
}

/** Reads CREDMON_VAULT_PORTS; the default is htgettoken's own port. */
function readPorts(read: KnobReader, ofServer: number | undefined): number[] {
  if (ofServer !== undefined && !read.isSet('CREDMON_VAULT_PORTS')) return [ofServer];
  const ports = read.list('CREDMON_VAULT_PORTS').map(Number);
  if (!ports.every((port) => Number.isInteger(port) && port > 0 && port < 65_536))
    read.mistake('CREDMON_VAULT_PORTS', 'is not a list of port numbers');
  return ports;
}

/**
 * Returns the server in htgettoken's options: `-a host`, `--vaultserver=host`, or a URL
 * instead of the host.
 */
export function vaultServerOf(
  options: string,
): { readonly host: string; readonly port?: number } | undefined {
  const text = /(?:^|\s)(?:-a\s*|--vaultserver[=\s]\s*)(\S+)/.exec(options)?.[1];
  if (text === undefined) return undefined;
  const url = `https://${text.replace(/^https:\/\//, '')}`;
  if (!URL.canParse(url)) return undefined;
  const { hostname, port } = new URL(url);
  return port === '' ? { host: hostname } : { host: hostname, port: Number(port) };
}

/**
 * A provider's program with its arguments and its time limit in seconds.
 */
export interface TokenProgram {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly seconds: number;
  /** What depends on the issuer: rules for scopes, and what jobs may read. */
  readonly policy: IssuerPolicy;
}

/** Reads the programs of these providers. Mistakes are added to `read`. */
export function readTokenPrograms(
  read: KnobReader,
  names: readonly string[],
  allowLoopbackHttp: boolean,
): TokenProgram[] {
  const seconds = read.duration('EXEC_CREDMON_TIMEOUT');
  return [...new Set(names)].map((name) => {
    const line = read.string(knob('EXEC_CREDMON_<PROVIDER>_COMMAND', name)) ?? '';
    const [command = '', ...args] = line.split(/\s+/).filter((word) => word !== '');
    if (!isAbsolute(command))
      read.mistake(
        `EXEC_CREDMON_${name}_COMMAND`,
        command === '' ? 'is not set' : 'does not begin with an absolute path',
      );
    return {
      name,
      command,
      args,
      seconds: read.duration(ownKnob('EXEC_CREDMON_TIMEOUT', name)) ?? seconds,
      policy: readIssuerPolicy(read, name, allowLoopbackHttp),
    };
  });
}
