// The report that counts: what the passes tell becomes numbers. It holds no text that a
// user or an issuer wrote.
import { splitStem, type Instant } from '@credmon/core/credential';
import type { ManagedToken } from '@credmon/core/renewal';
import type { Report } from '../report/log-report.ts';
import type { Families } from './families.ts';
import type { ProviderLabels } from './labels.ts';
import { tallyOf } from './tally.ts';

/**
 * What counting needs to know. `nameOf` makes a service's name one that may be shown;
 * `now` is asked at each scan.
 */
export interface CountingOptions {
  readonly nameOf: (service: string) => string;
  readonly specialNames: () => boolean;
  readonly now: () => Instant;
}

/** The labels of a token. */
export function labelsFrom({
  nameOf,
  specialNames,
}: CountingOptions): (token: Pick<ManagedToken, 'snapshot' | 'provider'>) => ProviderLabels {
  return ({ snapshot, provider: kind }) => {
    const { stem } = snapshot;
    const whole = kind === 'standing' || specialNames();
    return { provider: nameOf(splitStem(stem, whole)?.service ?? stem), kind };
  };
}

/**
 * A report to these families. Lines without a number of their own are told to nobody
 * here.
 */
export function createCountingReport(families: Families, options: CountingOptions): Report {
  const labelsOf = labelsFrom(options);
  const nothing = (): void => undefined;
  return {
    scanned: async ({ problems }, plan) => {
      const now = options.now();
      families.tallied(await tallyOf(plan, now, labelsOf), problems.length, now.steady);
    },
    renewed: (token) => families.renewal(labelsOf(token), 'issued', 'none'),
    failed: (token, kind, { code }) => families.renewal(labelsOf(token), kind, code),
    removed: (token, { code }) => families.renewal(labelsOf(token), 'revoked', code),
    postponed: nothing,
    noted: nothing,
    settled: nothing,
    unwritten: nothing,
    rewritten: nothing,
    trouble: nothing,
  };
}

/** One report to several. */
export function tellAll(reports: readonly Report[]): Report {
  const each = (tell: (report: Report) => void): void => reports.forEach(tell);
  return {
    scanned: async (...told) => {
      for (const report of reports) await report.scanned(...told);
    },
    renewed: (...told) => each((report) => report.renewed(...told)),
    failed: (...told) => each((report) => report.failed(...told)),
    postponed: (...told) => each((report) => report.postponed(...told)),
    noted: (...told) => each((report) => report.noted(...told)),
    removed: (...told) => each((report) => report.removed(...told)),
    settled: (...told) => each((report) => report.settled(...told)),
    unwritten: (...told) => each((report) => report.unwritten(...told)),
    rewritten: (...told) => each((report) => report.rewritten(...told)),
    trouble: (...told) => each((report) => report.trouble(...told)),
  };
}
