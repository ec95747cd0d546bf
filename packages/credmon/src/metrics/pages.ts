// The pages of the listener: the metrics, and the answers for whoever decides whether
// this daemon is well.
import type { Families, Moment } from './families.ts';
import type { Pages } from './listener.ts';
import { judgeReadiness, type Vitals } from './readiness.ts';

/** What is known at the moment of asking; `families` are there before the listener is. */
export interface PageSources {
  readonly families: () => Families | undefined;
  readonly moment: () => Moment;
  readonly vitals: () => Vitals;
}

/** The pages, each made when it is asked for. */
export function createPages({ families, moment, vitals }: PageSources): Pages {
  const type = 'text/plain; charset=utf-8';
  return {
    '/metrics': async () => {
      const counted = families();
      if (!counted) return { status: 503, type, text: 'nothing has been counted yet\n' };
      return { status: 200, type: counted.contentType, text: await counted.page(moment()) };
    },
    '/healthz': async () => ({ status: 200, type, text: 'alive\n' }),
    '/readyz': async () => {
      const readiness = judgeReadiness(vitals());
      const text = `${JSON.stringify(readiness)}\n`;
      return { status: readiness.ready ? 200 : 503, type: 'application/json', text };
    },
  };
}
