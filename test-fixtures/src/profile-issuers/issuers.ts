// All issuers by name: one for each profile, and their variants.
import type { IssuerAnswers } from './answers.ts';
import {
  BOX,
  DROPBOX,
  GITHUB,
  GITHUB_APP,
  GOOGLE,
  MICROSOFT,
  MICROSOFT_TENANT,
  ORCID,
} from './public-services.ts';
import { cilogon, EGI, GENERIC, GLOBUS, IAM, KEYCLOAK } from './research-issuers.ts';

/** The issuers by the names of their profiles, and variants of some. */
export const ISSUERS: Readonly<Record<string, IssuerAnswers>> = {
  google: GOOGLE,
  microsoft: MICROSOFT_TENANT,
  'microsoft-common': MICROSOFT,
  github: GITHUB,
  'github-app': GITHUB_APP,
  globus: GLOBUS,
  cilogon: cilogon(),
  fermilab: cilogon('/fermilab'),
  iam: IAM,
  keycloak: KEYCLOAK,
  egi: EGI,
  box: BOX,
  dropbox: DROPBOX,
  orcid: ORCID,
  generic: GENERIC,
};
