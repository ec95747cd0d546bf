// Recognises the web server's configuration of an older portal (mod_wsgi), and gives the
// lines of configs/apache that replace it.

/** Where an older portal was served. */
export interface WsgiPortal {
  readonly file: string;
  /** The path below which it was served, without a slash at its end: often empty. */
  readonly path: string;
  readonly host: string | undefined;
  readonly port: string | undefined;
}

/** Returns the portal in the text of a file; `undefined` if it has no WSGIScriptAlias. */
export function wsgiPortalIn(file: string, text: string): WsgiPortal | undefined {
  const alias = /^[ \t]*WSGIScriptAlias[ \t]+(\S+)[ \t]/im.exec(text)?.[1];
  if (alias === undefined) return undefined;
  const port =
    /^[ \t]*<VirtualHost[ \t]+\S*:(\d+)[ \t]*>/im.exec(text)?.[1] ??
    /^[ \t]*Listen[ \t]+(?:\S+:)?(\d+)\b/im.exec(text)?.[1];
  return {
    file,
    path: alias.replace(/\/+$/, ''),
    host: /^[ \t]*ServerName[ \t]+(?:https?:\/\/)?([\w.-]+)/im.exec(text)?.[1],
    port: port === '443' ? undefined : port,
  };
}

/** Returns the URL of the portal for CREDMON_WEB_PREFIX. */
export function prefixOf({ host, port, path }: WsgiPortal): string {
  return `https://${host ?? '$(FULL_HOSTNAME)'}${port === undefined ? '' : `:${port}`}${path}`;
}

/** The directives that replace the WSGI lines; configs/apache has the whole file. */
export function proxyLines({ path }: WsgiPortal): readonly string[] {
  const backend = `unix:/run/condor_credmon_web.sock|http://condor-credmon-web${path}/`;
  return [
    'RequestHeader unset X-Forwarded-For early',
    'RequestHeader unset X-Remote-User early',
    'RequestHeader set X-Forwarded-Proto https',
    'ProxyPreserveHost On',
    `ProxyPass ${path}/ "${backend}" timeout=60`,
  ];
}

/** Names of the lines to remove, for a comment. */
export const WSGI_DIRECTIVES = 'WSGIDaemonProcess, WSGIProcessGroup, WSGIScriptAlias';
