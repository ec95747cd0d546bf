// Reads the Vault's knobs: the trusted servers, the lifetimes, and the certificate
// authorities.
import { readNamedTrust, type KnobReader } from '@credmon/core/config';

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
