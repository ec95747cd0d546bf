// The schema of CycloneDX 1.6, with which the library that writes the bill of materials checks
// its own output.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** What is used of Ajv, which is a dependency of the library and not ours. */
interface Ajv {
  addSchema(schema: object, name: string): void;
  compile(schema: object): {
    (value: unknown): boolean;
    readonly errors?: readonly object[] | null;
  };
}
type AjvClass = new (options: object) => Ajv;

const here = createRequire(import.meta.url);
const folder = dirname(here.resolve('@cyclonedx/cyclonedx-library/package.json'));
const schemaOf = (name: string): object => {
  const path = join(folder, 'res/schema', `${name}.SNAPSHOT.schema.json`);
  return JSON.parse(readFileSync(path, 'utf8')) as object;
};

/** Returns what the schema finds wrong in a bill of materials. */
export function cycloneDxMistakes(bom: unknown): readonly object[] {
  const theirs = createRequire(join(folder, 'package.json'));
  const ajv = new (theirs('ajv') as AjvClass)({
    strict: false,
    allErrors: true,
    formats: { 'idn-email': true, 'iri-reference': true },
  });
  (theirs('ajv-formats') as (ajv: Ajv) => void)(ajv);
  for (const name of ['spdx', 'jsf-0.82']) {
    const { $id: _, ...schema } = schemaOf(name) as Readonly<Record<string, unknown>>;
    ajv.addSchema(schema, `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
  }
  const validate = ajv.compile(schemaOf('bom-1.6'));
  validate(bom);
  return validate.errors ?? [];
}
