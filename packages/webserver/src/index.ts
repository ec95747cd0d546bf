// The public API of @credmon/webserver: names only.
export { createApp } from './app.ts';
export { openCredentialFiles } from './credential-files.ts';
export { openViews } from './view-files.ts';
export { createFileFlows } from './session-store/file-flows.ts';
export { createFileSessions } from './session-store/file-sessions.ts';
export { cookieKey, prepareSessionDirectory, pruneSessions } from './session-store/session-directory.ts';
export type { CredentialFiles, FlowLog, Log, Ports, TokenTexts, Views } from './ports.ts';
export type { ListenAddress, ProviderSettings, Settings } from './settings/settings.ts';
