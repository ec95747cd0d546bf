// The public API of @credmon/webserver.
export { createApp } from './app.ts';
export { startServer } from './server.ts';
export type { Server } from './server.ts';
export { readSettings } from './settings/read.ts';
export type { ListenAddress, ProviderSettings, Settings } from './settings/settings.ts';
export type { Counters } from './flow/ports.ts';
export type { CredentialFiles, FlowLog, Ports, TokenTexts, Views } from './flow/ports.ts';
export type { Log } from '@credmon/core/log';
