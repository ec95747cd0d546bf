// The public API of @credmon/core/log, the log of the daemon and the web server.
export type { Log } from './logger.ts';
export { DEFAULT_STYLE } from './line-format.ts';
export type { LineStyle } from './line-format.ts';
export { checkLogFile } from './rotating-file.ts';
export { openLog, reopenLog } from './logger.ts';
export type { Logger } from './logger.ts';
export type { LogOptions } from './settings.ts';
export { logSettings } from './settings.ts';
export type { LogHabits, LogOverrides } from './settings.ts';
export { openStartLog, startErrorLines } from './logger.ts';
export {
  checkAuditLog,
  createAuditLog,
  PORTAL_AUDIT_KNOB,
  PORTAL_AUDIT_LINE,
} from './audit-log.ts';
export type { AuditEntry, AuditEvent, AuditLog, AuditLogRules } from './audit-log.ts';
