// What a command line can ask for, as data.

/** Options of every command. `configFile` stands for CONDOR_CONFIG. */
export interface CommonOptions {
  readonly configFile: string | undefined;
  readonly credDir: string | undefined;
  readonly name: string;
}

/** The daemon itself. */
export interface DaemonCommand extends CommonOptions {
  readonly kind: 'daemon';
  readonly logFile: string | undefined;
  readonly debug: boolean;
  readonly verbose: boolean;
  readonly once: boolean;
}

/**
 * A subcommand that looks at the credential directory or the configuration. `seconds`
 * that a token must still live.
 */
export type Subcommand = CommonOptions &
  (
    | { readonly kind: 'status'; readonly json: boolean; readonly user: string | undefined }
    | { readonly kind: 'check'; readonly json: boolean; readonly user: string | undefined }
    | {
        readonly kind: 'usable';
        readonly user: string;
        readonly service: string;
        readonly seconds: number;
      }
    | {
        readonly kind: 'revoke';
        readonly json: boolean;
        readonly user: string;
        readonly service: string | undefined;
      }
    | { readonly kind: 'keys-list'; readonly json: boolean; readonly provider: string | undefined }
    | {
        readonly kind: 'keys-rotate';
        readonly json: boolean;
        readonly provider: string | undefined;
        /** A new key although the active one serves well. */
        readonly begin: boolean;
        readonly algorithm: 'ES256' | 'RS256';
      }
    | {
        readonly kind: 'keys-publish';
        readonly json: boolean;
        readonly provider: string | undefined;
        /** A web server's directory; without it the portal's place. */
        readonly directory: string | undefined;
      }
    | {
        readonly kind: 'config-dump';
        readonly json: boolean;
        readonly pattern: string | undefined;
        readonly expanded: boolean;
      }
    | {
        readonly kind: 'config-get';
        readonly json: boolean;
        readonly knob: string;
        readonly verbose: boolean;
      }
  );

/** Text to print and the code to exit with: help, version, misuse. */
export interface TextCommand {
  readonly kind: 'text';
  readonly text: string;
  readonly exitCode: number;
  readonly toStderr: boolean;
}

/** What the command line asks for. */
export type Command = DaemonCommand | Subcommand | TextCommand;

/**
 * The default subsystem name: the one that condor_master gives this daemon in
 * DAEMON_LIST.
 */
export const DEFAULT_NAME = 'CREDMON_OAUTH';

/** The flags that every command has, as yargs is reported them. */
export interface CommonFlags {
  readonly name: string;
  readonly 'cred-dir': string | undefined;
  readonly config: string | undefined;
}

/** The common options as yargs gives them. */
export interface CommonValues {
  readonly name: string;
  readonly credDir: string | undefined;
  readonly config: string | undefined;
}

/** The common options as commands take them. */
export function common({ name, credDir, config }: CommonValues): CommonOptions {
  return { name: name.toUpperCase(), credDir, configFile: config };
}
