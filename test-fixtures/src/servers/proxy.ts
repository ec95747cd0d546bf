// nginx and Apache on loopback with TLS, from the unchanged files in configs/; only the
// required values are set.
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import type { Certificates } from './certificates.ts';
import { startProcess, type Child } from '../processes/processes.ts';
import { waitUntil } from '../clocks/wait-until.ts';

/**
 * The listen address of the proxy, its certificate, and the socket of the web server.
 * `directory` is for its files.
 */
export interface ProxyOptions {
  readonly root: string;
  readonly directory: string;
  readonly port: number;
  readonly certificates: Certificates;
  readonly socket: string;
  /**
   * The output of `--print-proxy-config`, included where the files say; and users who
   * must sign in at the proxy with a password.
   */
  readonly remoteUser?: {
    readonly include: string;
    readonly passwords?: Readonly<Record<string, string>>;
  };
}

/** The proxies with a file in configs/. */
export type ProxyKind = 'nginx' | 'apache';

/** Starts a proxy and waits until it accepts connections. */
export async function startProxy(kind: ProxyKind, options: ProxyOptions): Promise<Child> {
  mkdirSync(options.directory, { recursive: true });
  chmodSync(options.directory, 0o755);
  const environment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };
  const child =
    kind === 'nginx'
      ? startProcess('/usr/sbin/nginx', ['-c', nginxFile(options)], environment)
      : startProcess('/usr/sbin/apache2', ['-f', apacheFile(options), '-DFOREGROUND'], environment);
  try {
    await waitUntil(
      () => {
        if (child.exit) throw new Error(`${kind} ended:\n${child.output}`);
        return accepts(options.port);
      },
      { what: `${kind} accepting connections` },
    );
  } catch (error) {
    await child.stop();
    throw error;
  }
  return child;
}

/**
 * Sets the values in the lines that end with `# adapt`, and the logs below `directory`.
 */
function nginxFile(options: ProxyOptions): string {
  const { root, directory, port, certificates, socket, remoteUser } = options;
  const adapted: readonly (readonly [RegExp, string])[] = [
    [/server unix:\S+;(?= # adapt)/, `server unix:${socket};`],
    [/listen 443 ssl;(?= # adapt)/, `listen 127.0.0.1:${port} ssl http2;`],
    [/server_name \S+;(?= # adapt)/, 'server_name localhost;'],
    [/ssl_certificate \S+;(?= # adapt)/, `ssl_certificate ${certificates.certificateFile};`],
    [/ssl_certificate_key \S+;(?= # adapt)/, `ssl_certificate_key ${certificates.keyFile};`],
    [/access_log \/var\/log\/nginx\//, `access_log ${directory}/`],
    [/error_log \/var\/log\/nginx\//, `error_log ${directory}/`],
    ...nginxUser(directory, remoteUser),
  ];
  const site = adapted.reduce(
    (text, [pattern, value]) => {
      if (!pattern.test(text)) throw new Error(`configs/nginx has no line that fits ${pattern}`);
      return text.replace(pattern, value);
    },
    readFileSync(join(root, 'configs/nginx/condor_credmon_web.conf'), 'utf8'),
  );
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const main = `daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
pid ${directory}/nginx.pid;
error_log ${directory}/error.log;
events { }
http {
${temporary.map((name) => `    ${name}_temp_path ${directory}/${name};`).join('\n')}
${site}
}
`;
  return written(join(directory, 'nginx.conf'), main);
}

/**
 * Changes the lines of configs/nginx that a site with CREDMON_WEB_REMOTE_USER_HEADER
 * changes.
 */
function nginxUser(
  directory: string,
  remoteUser: ProxyOptions['remoteUser'],
): readonly (readonly [RegExp, string])[] {
  if (!remoteUser) return [];
  const include = `include ${written(join(directory, 'user.conf'), remoteUser.include)};`;
  const line = /proxy_set_header X-Remote-User "";/;
  if (!remoteUser.passwords) return [[line, include]];
  const file = passwordFile(directory, remoteUser.passwords);
  return [
    [line, `${include} auth_basic "test"; auth_basic_user_file ${file};`],
    [/default "";(?=\n\}\n\nlog_format)/, 'default "$remote_user";'],
  ];
}

/** Users and passwords in htpasswd format with SHA-1, which both proxies support. */
function passwordFile(directory: string, passwords: Readonly<Record<string, string>>): string {
  const lines = Object.entries(passwords).map(
    ([user, password]) => `${user}:{SHA}${createHash('sha1').update(password).digest('base64')}\n`,
  );
  return written(join(directory, 'passwords'), lines.join(''));
}

const APACHE_MODULES = [
  'mpm_event',
  'authn_core',
  'authn_file',
  'authz_core',
  'authz_user',
  'auth_basic',
  'ssl',
  'http2',
  'headers',
  'setenvif',
  'proxy',
  'proxy_http',
];

/** Defines the values that the file needs, and includes the unchanged file. */
function apacheFile(options: ProxyOptions): string {
  const { root, directory, port, certificates, socket, remoteUser } = options;
  const modules = APACHE_MODULES.map(
    (name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`,
  );
  const main = `ServerRoot ${directory}
DefaultRuntimeDir ${directory}
PidFile ${directory}/apache.pid
ErrorLog ${directory}/error.log
ServerName localhost
${process.getuid?.() === 0 ? 'User www-data\nGroup www-data' : ''}
${modules.join('\n')}
Listen 127.0.0.1:${port}
Define CREDMON_WEB_PORT ${port}
Define CREDMON_WEB_HOST localhost
Define CREDMON_WEB_CERTIFICATE ${certificates.certificateFile}
Define CREDMON_WEB_CERTIFICATE_KEY ${certificates.keyFile}
Define CREDMON_WEB_BACKEND unix:${socket}|http://condor-credmon-web/
Define CREDMON_WEB_LOG_DIR ${directory}
Protocols h2 http/1.1
Include ${apacheSite(root, directory, remoteUser)}
`;
  return written(join(directory, 'apache.conf'), main);
}

/**
 * Returns configs/apache unchanged, or with the lines that a site with
 * CREDMON_WEB_REMOTE_USER_HEADER adds.
 */
function apacheSite(
  root: string,
  directory: string,
  remoteUser: ProxyOptions['remoteUser'],
): string {
  const path = join(root, 'configs/apache/condor_credmon_web.conf');
  if (!remoteUser) return path;
  const file = remoteUser.passwords && passwordFile(directory, remoteUser.passwords);
  const signIn = `<Location "/">\nAuthType Basic\nAuthName test\nAuthUserFile ${file}\nRequire valid-user\n</Location>\n`;
  const line = /^ *# {3}Include \S+\n/m;
  const text = readFileSync(path, 'utf8');
  if (!line.test(text)) throw new Error('configs/apache has no line for the include file');
  const include = `Include ${written(join(directory, 'user.conf'), remoteUser.include)}\n`;
  return written(
    join(directory, 'site.conf'),
    text.replace(line, (file === undefined ? '' : signIn) + include),
  );
}

function written(path: string, text: string): string {
  writeFileSync(path, text);
  return path;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
