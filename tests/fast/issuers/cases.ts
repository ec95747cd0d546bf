// The twelve profiles: what a user asks for, what the issuer answers, and what must
// become of it. GitHub has two rows: OAuth apps, and GitHub Apps, whose tokens expire.
import type { IssuerAnswers } from '@credmon/test-fixtures/profile-issuers/answers';
import {
  BOX,
  DROPBOX,
  GITHUB,
  GITHUB_APP,
  GOOGLE,
  MICROSOFT,
  ORCID,
} from '@credmon/test-fixtures/profile-issuers/public-services';
import {
  cilogon,
  EGI,
  GENERIC,
  GLOBUS,
  GLOBUS_TRANSFER,
  IAM,
  KEYCLOAK,
} from '@credmon/test-fixtures/profile-issuers/research-issuers';
import { CLIENT_ID } from './site.ts';

/** One row of the table. */
export interface Case {
  readonly name: string;
  readonly answers: IssuerAnswers;
  /** Scopes and audience as CredD writes them. */
  readonly scopes: string;
  readonly audience?: string;
  /** The authorization request, beside what all have. */
  readonly asks: Readonly<Record<string, string>>;
  /** The form with the code, beside what all have. */
  readonly sends?: Readonly<Record<string, string>>;
  /** `.use` after the login, without the access token and the times. */
  readonly use: Readonly<Record<string, unknown>>;
  /** The user in the ID token. */
  readonly subject?: string;
  readonly tokenUrl: string;
  /** `.use` after a renewal, where it differs. */
  readonly renewed?: Readonly<Record<string, unknown>>;
  /** The form of a refresh, without the refresh token; `undefined`: it cannot be renewed. */
  readonly refresh: Readonly<Record<string, string>> | undefined;
  /** The lifetime in seconds; `undefined`: the token does not expire. */
  readonly lifetime: number | undefined;
  /** A scope that the user did not ask for. */
  readonly wider: string;
  /** A requested scope that may be missing in the answer. */
  readonly narrower: string;
}

const SUBJECT = 'user-1';
const GRANT = { grant_type: 'refresh_token', client_id: CLIENT_ID };
const DRIVE = 'https://www.googleapis.com/auth/drive.readonly';
const GRAPH = 'https://graph.microsoft.com';
const STORAGE = 'https://storage.example.org';

export const CASES: readonly Case[] = [
  {
    name: 'google',
    answers: GOOGLE,
    scopes: `openid, email, ${DRIVE}`,
    audience: STORAGE,
    asks: { access_type: 'offline', prompt: 'consent', scope: `openid email ${DRIVE}` },
    use: {
      token_type: 'Bearer',
      expires_in: 3599,
      scope: `openid https://www.googleapis.com/auth/userinfo.email ${DRIVE}`,
    },
    subject: SUBJECT,
    tokenUrl: 'https://oauth2.googleapis.com/token',
    refresh: GRANT,
    lifetime: 3599,
    wider: 'https://www.googleapis.com/auth/drive',
    narrower: DRIVE,
  },
  {
    name: 'microsoft',
    answers: MICROSOFT,
    scopes: 'openid, Files.Read, offline_access',
    audience: STORAGE,
    asks: { scope: 'openid Files.Read offline_access' },
    sends: { scope: 'openid Files.Read offline_access' },
    use: {
      token_type: 'Bearer',
      expires_in: 3599,
      ext_expires_in: 3599,
      scope: `openid ${GRAPH}/Files.Read profile email ${GRAPH}/User.Read`,
    },
    subject: SUBJECT,
    tokenUrl: 'https://login.microsoftonline.com/common/oauth2/v2.0/token',
    refresh: { ...GRANT, scope: 'openid Files.Read offline_access' },
    lifetime: 3599,
    wider: `${GRAPH}/Files.ReadWrite`,
    narrower: `${GRAPH}/Files.Read`,
  },
  {
    name: 'github',
    answers: GITHUB,
    scopes: 'repo, gist',
    audience: STORAGE,
    asks: { scope: 'repo gist' },
    use: { token_type: 'Bearer', scope: 'repo,gist', does_not_expire: true },
    tokenUrl: 'https://github.com/login/oauth/access_token',
    refresh: undefined,
    lifetime: undefined,
    wider: 'delete_repo',
    narrower: 'gist',
  },
  {
    name: 'github (GitHub App)',
    answers: GITHUB_APP,
    scopes: '',
    asks: {},
    use: {
      token_type: 'Bearer',
      expires_in: 28_800,
      scope: '',
      refresh_token_expires_in: 15_897_600,
    },
    tokenUrl: 'https://github.com/login/oauth/access_token',
    refresh: GRANT,
    lifetime: 28_800,
    wider: '',
    narrower: '',
  },
  {
    name: 'globus',
    answers: GLOBUS,
    scopes: `openid, ${GLOBUS_TRANSFER}`,
    audience: STORAGE,
    asks: { access_type: 'offline', scope: `openid ${GLOBUS_TRANSFER}` },
    use: {
      token_type: 'Bearer',
      expires_in: 172_800,
      scope: 'openid',
      resource_server: 'auth.globus.org',
      other_tokens: [
        {
          access_token: 'access-globus-5',
          token_type: 'Bearer',
          expires_in: 172_800,
          scope: GLOBUS_TRANSFER,
          resource_server: 'transfer.api.globus.org',
        },
      ],
    },
    subject: SUBJECT,
    tokenUrl: 'https://auth.globus.org/v2/oauth2/token',
    renewed: {
      token_type: 'Bearer',
      expires_in: 172_800,
      scope: 'openid',
      resource_server: 'auth.globus.org',
      other_tokens: [],
    },
    refresh: { grant_type: 'refresh_token' },
    lifetime: 172_800,
    wider: 'urn:globus:auth:scope:groups.api.globus.org:all',
    narrower: GLOBUS_TRANSFER,
  },
  {
    name: 'cilogon',
    answers: cilogon(),
    scopes: 'openid, org.cilogon.userinfo, storage.read:/',
    audience: STORAGE,
    asks: { scope: 'openid org.cilogon.userinfo storage.read:/', resource: STORAGE },
    use: {
      token_type: 'Bearer',
      expires_in: 900,
      scope: 'openid org.cilogon.userinfo storage.read:/',
      refresh_token_lifetime: 864_000,
    },
    subject: 'http://cilogon.org/serverA/users/12345',
    tokenUrl: 'https://cilogon.org/oauth2/token',
    refresh: GRANT,
    lifetime: 900,
    wider: 'storage.modify:/',
    narrower: 'storage.read:/',
  },
  {
    name: 'iam',
    answers: IAM,
    scopes: 'openid, offline_access, storage.read:/',
    audience: STORAGE,
    asks: { scope: 'openid offline_access storage.read:/', audience: STORAGE },
    sends: { audience: STORAGE },
    use: {
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'openid offline_access storage.read:/',
    },
    subject: SUBJECT,
    tokenUrl: 'https://iam.example.org/token',
    refresh: { ...GRANT, audience: STORAGE },
    lifetime: 3600,
    wider: 'storage.modify:/',
    narrower: 'storage.read:/',
  },
  {
    name: 'keycloak',
    answers: KEYCLOAK,
    scopes: 'openid, offline_access, data',
    audience: STORAGE,
    asks: { scope: 'openid offline_access data', resource: STORAGE },
    use: {
      token_type: 'Bearer',
      expires_in: 300,
      scope: 'openid offline_access data profile email',
      refresh_expires_in: 1800,
      'not-before-policy': 0,
      session_state: '7c2c2a10-0000-4000-8000-000000000000',
    },
    subject: SUBJECT,
    tokenUrl: 'https://keycloak.example.org/realms/lab/protocol/openid-connect/token',
    refresh: GRANT,
    lifetime: 300,
    wider: 'roles',
    narrower: 'data',
  },
  {
    name: 'egi',
    answers: EGI,
    scopes: 'openid, offline_access, entitlements',
    audience: STORAGE,
    asks: { scope: 'openid offline_access entitlements', resource: STORAGE },
    sends: { scope: 'openid offline_access entitlements' },
    use: {
      token_type: 'Bearer',
      expires_in: 3599,
      scope: 'openid offline_access entitlements profile email',
      refresh_expires_in: 1800,
      'not-before-policy': 0,
      session_state: '7c2c2a10-0000-4000-8000-000000000000',
    },
    subject: SUBJECT,
    tokenUrl: 'https://aai.egi.eu/auth/realms/egi/protocol/openid-connect/token',
    refresh: { ...GRANT, scope: 'openid offline_access entitlements' },
    lifetime: 3599,
    wider: 'eduperson_entitlement',
    narrower: 'entitlements',
  },
  {
    name: 'box',
    answers: BOX,
    scopes: 'root_readonly, sign_requests.readwrite',
    audience: STORAGE,
    asks: { scope: 'root_readonly sign_requests.readwrite' },
    use: { token_type: 'Bearer', expires_in: 3600, restricted_to: [] },
    tokenUrl: 'https://api.box.com/oauth2/token',
    refresh: GRANT,
    lifetime: 3600,
    wider: 'root_readwrite',
    narrower: 'root_readonly',
  },
  {
    name: 'dropbox',
    answers: DROPBOX,
    scopes: 'files.content.read, files.metadata.read',
    audience: STORAGE,
    asks: { token_access_type: 'offline', scope: 'files.content.read files.metadata.read' },
    use: {
      token_type: 'Bearer',
      expires_in: 14_400,
      scope: 'account_info.read files.content.read files.metadata.read',
      uid: '12345',
      account_id: 'dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc',
    },
    tokenUrl: 'https://api.dropboxapi.com/oauth2/token',
    refresh: GRANT,
    lifetime: 14_400,
    wider: 'files.content.write',
    narrower: 'files.metadata.read',
  },
  {
    name: 'orcid',
    answers: ORCID,
    scopes: 'openid, /read-limited',
    audience: STORAGE,
    asks: { scope: 'openid /read-limited' },
    use: {
      token_type: 'Bearer',
      expires_in: 315_360_000,
      scope: 'openid /read-limited',
      name: 'Sofia Maria Hernandez Garcia',
      orcid: '0000-0002-7900-5343',
    },
    subject: '0000-0002-7900-5343',
    tokenUrl: 'https://orcid.org/oauth/token',
    refresh: GRANT,
    // Ten years, of the issuer's 20.
    lifetime: 315_360_000,
    wider: '/activities/update',
    narrower: '/read-limited',
  },
  {
    name: 'generic',
    answers: GENERIC,
    scopes: 'openid, read, write',
    audience: STORAGE,
    asks: { scope: 'openid read write', resource: STORAGE },
    use: { token_type: 'Bearer', expires_in: 3600, scope: 'openid read write' },
    subject: SUBJECT,
    tokenUrl: 'https://login.example.org/token',
    refresh: GRANT,
    lifetime: 3600,
    wider: 'admin',
    narrower: 'write',
  },
];

/** The row of a name. */
export function caseOf(name: string): Case {
  const row = CASES.find((one) => one.name === name);
  if (row === undefined) throw new Error(`no row ${name}`);
  return row;
}
