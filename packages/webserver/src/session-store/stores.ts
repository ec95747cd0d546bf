// What every place that sessions can be kept in offers to the server.
import type { SessionStore } from '@fastify/session';
import type { AnswerStore, FlowLog } from '../flow/ports.ts';

/** Sessions, flows and answers in one place, opened together and closed together. */
export interface Stores {
  readonly sessions: SessionStore;
  readonly flows: FlowLog;
  readonly answers: AnswerStore;
  /** Signs session cookies; the same for every replica that shares the place. */
  readonly cookieSecret: string;
  /**
   * Makes sure that something can be written there.
   * @throws CodedError `SESSION_STORE_FULL`; the system's or the network's error
   */
  check(): Promise<void>;
  /** How many are kept. */
  count(): Promise<{ readonly sessions: number; readonly flows: number }>;
  /** Removes what is too old. */
  prune(): Promise<void>;
  close(): Promise<void>;
}
