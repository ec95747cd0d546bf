// Configurations of older credmons, with the knobs of their published examples.

/** The README of htcondor/scitokens-credmon: logins, and tokens that are signed. */
export const SCITOKENS_CREDMON = `
DAEMON_LIST = $(DAEMON_LIST), CREDD, SEC_CREDENTIAL_MONITOR
CREDD_OAUTH_MODE = True
SEC_CREDENTIAL_PRODUCER = /usr/bin/scitokens_credential_producer
SEC_DEFAULT_ENCRYPTION = REQUIRED
LOCAL_CREDMON_ISSUER = https://$(FULL_HOSTNAME)
LOCAL_CREDMON_AUTHZ_TEMPLATE = read:/user/{username} write:/user/{username}
SEC_CREDENTIAL_DIRECTORY = /var/lib/condor/credentials
TRUST_CREDENTIAL_DIRECTORY = True
SEC_CREDENTIAL_MONITOR = /usr/bin/scitokens_credmon
SEC_CREDENTIAL_MONITOR_LOG = $(LOG)/CredMonLog
BOX_CLIENT_ID = box-client
BOX_CLIENT_SECRET_FILE = /etc/condor/.secrets/box
BOX_RETURN_URL_SUFFIX = /return/box
BOX_AUTHORIZATION_URL = https://account.box.com/api/oauth2/authorize
BOX_TOKEN_URL = https://api.box.com/oauth2/token
BOX_USER_URL = https://api.box.com/2.0/users/me
NUM_CPUS = 4
`;

/** Its first README: TOKENS, the directory's oldest name, and a secret in clear. */
export const FIRST_README = `
SEC_CREDENTIAL_DIR = /var/lib/condor/credentials
SEC_CREDENTIAL_MONITOR = /usr/bin/condor_credmon
SEC_CREDENTIAL_MONITOR_LOG = /var/log/condor/CredMon
TOKENS = True
SCITOKENS_CLIENT_ID = myproxy:oa4mp,2012:/client_id/1
SCITOKENS_CLIENT_SECRET = CANARY-secret
SCITOKENS_AUTHORIZATION_URL = https://issuer.example.org/authorize
SCITOKENS_TOKEN_URL = https://issuer.example.org/token
`;

/** HTCondor's condor_credmon_oauth, with its feature. */
export const OAUTH_CREDMON = `
use feature : OAUTH
LOCAL_CREDMON_PROVIDER_NAME = scitokens
LOCAL_CREDMON_TOKEN_AUDIENCE = https://storage.example.org
SEC_PROCESS_SUBMIT_TOKENS = false
BASE = /etc/condor
OTHER_CLIENT_ID = other-client
OTHER_CLIENT_SECRET_FILE = $(BASE)/.secrets/other
OTHER_RETURN_URL_SUFFIX = /return/other
OTHER_AUTHORIZATION_URL = https://api.example.org/oauth2/authorize
OTHER_TOKEN_URL = https://api.example.org/oauth2/token
`;

/** HTCondor's Vault credmon. */
export const VAULT_CREDMON = `
DAEMON_LIST = $(DAEMON_LIST) CREDD CREDMON_OAUTH
if version < 8.9.2
  CREDD_OAUTH_MODE = True
endif
SEC_DEFAULT_ENCRYPTION = REQUIRED
SEC_CREDENTIAL_DIRECTORY_OAUTH = /var/lib/condor/oauth_credentials
TRUST_CREDENTIAL_DIRECTORY = True
CREDMON_OAUTH = /usr/sbin/condor_credmon_vault
SEC_CREDENTIAL_STORER = /usr/bin/condor_vault_storer
SEC_CREDENTIAL_MONITOR_OAUTH_LOG = $(LOG)/CredMonOAuthLog
SEC_CREDENTIAL_GETTOKEN_OPTS = -a vault.example.org
CREDMON_OAUTH_TOKEN_MINIMUM=2400
CREDMON_OAUTH_TOKEN_LIFETIME=604800
SEC_CREDENTIAL_SWEEP_DELAY=604800
if version < 8.9.7
   SEC_CREDENTIAL_DIRECTORY = $(SEC_CREDENTIAL_DIRECTORY_OAUTH)
endif
`;

/** The web server of the Syracuse recipe: mod_wsgi at port 8080. */
export const WSGI = `
Listen 8080
<VirtualHost *:8080>
  ServerName ap.example.org
  WSGIDaemonProcess credmon user=condor group=condor processes=2 threads=25
  WSGIProcessGroup credmon
  WSGIScriptAlias / /var/www/wsgi-scripts/scitokens-credmon/scitokens-credmon.wsgi
</VirtualHost>
`;
