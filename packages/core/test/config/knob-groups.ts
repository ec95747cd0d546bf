// The groups of docs/knobs.md: a knob is in the first group with a pattern that fits.

/** A group of knobs on the page. */
export interface KnobGroup {
  readonly title: string;
  readonly about: string;
  readonly names: RegExp;
}

/** In the order of the decision. The page has another order: see `GROUP_ORDER`. */
export const KNOB_GROUPS: readonly KnobGroup[] = [
  {
    title: 'Web portal',
    about: 'Address, sessions and limits of the portal.',
    names: /^CREDMON_WEB_/,
  },
  {
    title: 'Standing tokens',
    about: 'Tokens that belong to no job, and tokens from `condor_credmon token`.',
    names: /^CREDMON_(?:STANDING|TOKEN_GROUP$|TOKEN_ALLOW$)/,
  },
  {
    title: 'Lists of providers',
    about: 'Which module of the daemon owns a name.',
    names: /_PROVIDER_NAMES?$/,
  },
  {
    title: 'Tokens signed on the Access Point',
    about: 'The local issuer, its keys, and who gets which scopes.',
    names: /^(?:LOCAL_CREDMON_|CREDMON_LOCAL_|CLASSAD_USER_MAP)/,
  },
  {
    title: 'Vault and Pelican',
    about: 'Tokens from Vault or OpenBao, and of Pelican.',
    names: /VAULT|PELICAN|GETTOKEN|^CREDMON_OAUTH_TOKEN_/,
  },
  {
    title: 'Client credentials and token exchange',
    about: '`<KIND>` is CLIENT or EXCHANGE.',
    names: /^<KIND>_/,
  },
  {
    title: 'Token programs',
    about: "Tokens from a site's own program.",
    names: /^EXEC_CREDMON_/,
  },
  {
    title: 'One login provider',
    about: 'The client, the endpoints and the rules of a provider where users sign in.',
    names: /<PROVIDER>/,
  },
  {
    title: 'Logs, audit and metrics',
    about: 'What the programs report, and where.',
    names: /LOG|DEBUG|^CREDMON_METRICS_LISTEN$|^SEC_CREDENTIAL_MONITOR$|^CREDMON_RUN_DIR$/,
  },
  {
    title: 'Reading the configuration',
    about: 'Sources of the configuration, and facts about the host.',
    names:
      /^(?:LOCAL_CONFIG|REQUIRE_LOCAL|USER_CONFIG|NETWORK_|DEFAULT_DOMAIN|NO_DNS|ENABLE_IPV|FULL_HOST|S?BIN$)/,
  },
  {
    title: 'Renewal and requests',
    about: 'When a token is renewed, what happens after a failure, and how issuers are asked.',
    names:
      /^(?:CREDMON_(?:RENEW|DEFAULT_TOKEN|TOKEN_FLOOR|FIRST_RETRY|LONGEST_RETRY|CONNECT|REQUEST|LATE|ENDPOINT_ORIGINS|ALLOW_LOOPBACK)|AUTH_SSL_)/,
  },
  {
    title: 'Credential directory and HTCondor',
    about: "Knobs of HTCondor's that decide where tokens are and what is started.",
    names:
      /^(?:SEC_CREDENTIAL_|CONDOR_IDS$|DAEMON_LIST$|AUTO_INCLUDE_|CREDMON_OAUTH$|CREDMON_ALLOW_SPECIAL)/,
  },
];

/** The titles of the groups in the order of the page. */
export const GROUP_ORDER: readonly string[] = [
  'Credential directory and HTCondor',
  'Lists of providers',
  'One login provider',
  'Renewal and requests',
  'Web portal',
  'Tokens signed on the Access Point',
  'Client credentials and token exchange',
  'Vault and Pelican',
  'Token programs',
  'Standing tokens',
  'Logs, audit and metrics',
  'Reading the configuration',
];
