// Parts of file names, with the quotes and slashes of condor_config_val.
import { expect, test } from 'vitest';
import { readText } from '../read-text.ts';

const KNOBS = `F = run/report.LOG
BOTH = "a b/c.d"
OPEN = "a b/c.d
APOSTROPHE = 'a b/c.d
TWICE = ""a/b.c""
CLOSE = a/b.c"
MIXED = a/b\\c\\d
SHARE = \\\\server\\x/y
EMPTY =
`;

test.each([
  ['$BASENAME(F,.log)', 'report'],
  ['$BASENAME(F, .log)', 'report'],
  ['$BASENAME(F,xx)', 'report.LOG'],
  ['$BASENAME(out/run,3.txt,.txt)', 'run,3'],
  ['$BASENAME(out/run.txt)', 'run.txt'],
  ['$F(BOTH)', 'a b/c.d'],
  ['$F(OPEN)', 'a b/c.d'],
  ['$F(APOSTROPHE)', "'a b/c.d"],
  ['$F(TWICE)', 'a/b.c'],
  ['$F(CLOSE)', 'a/b.c"'],
  ['$Fq(APOSTROPHE)', '"\'a b/c.d"'],
  ['$Fq(CLOSE)', '"a/b.c""'],
  ['$Fqa(APOSTROPHE)', "'a b/c.d'"],
  ['$Fqa(OPEN)', "'a b/c.d'"],
  ['$Fqn(BOTH)', '"c"'],
  ['$Fqx(CLOSE)', '".c""'],
  ['$Fqx(.bashrc)', '".bashrc"'],
  ['$Fqn(.bashrc)', '""'],
  ['[$Fx(.bashrc)]', '[]'],
  ['$Fp(APOSTROPHE)', "'a b/"],
  ['$Fd(MIXED)', 'c\\d'],
  ['$Fdn(SHARE)', 'x/y'],
  ['$Fun(SHARE)', 'y'],
  ['$Fdb(F)', 'run'],
  ['$FPNX(F)', 'run/report.LOG'],
])('%s is %s', (text, wanted) => {
  expect(readText(`${KNOBS}RESULT = ${text}\n`).get('RESULT')).toBe(wanted);
});
