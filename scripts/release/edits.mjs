// What a release changes in the checkout, as texts: the version wherever it is written, and
// the section of the CHANGELOG.

const VERSION = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/;
/** Sections that Keep a Changelog defines. */
const SECTIONS = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'];

/** Returns a negative number if the version `a` is lower than `b`; a pre-release is lower. */
function compare(a, b) {
  const [left, right] = [a, b].map((text) => {
    const [numbers, ...label] = text.split('-');
    return { numbers: numbers.split('.').map(Number), label: label.join('-') };
  });
  const at = left.numbers.findIndex((number, index) => number !== right.numbers[index]);
  if (at >= 0) return left.numbers[at] - right.numbers[at];
  if (left.label === right.label) return 0;
  if (left.label === '' || right.label === '') return left.label === '' ? 1 : -1;
  return left.label < right.label ? -1 : 1;
}

/** Returns why a version cannot be released, or `undefined`. */
export function refusal(version, current, changelog) {
  if (!VERSION.test(version)) return `${version} is not a version such as 1.2.3`;
  if (compare(version, current) < 0) return `${version} is lower than the current ${current}`;
  if (changelog.includes(`\n## [${version}]`)) return `CHANGELOG.md has a section ${version}`;
  const { notes } = unreleased(changelog);
  if (!/^- /m.test(notes)) return 'the section "Unreleased" of CHANGELOG.md is empty';
  const unknown = [...notes.matchAll(/^### (.*)$/gm)].find(([, name]) => !SECTIONS.includes(name));
  if (unknown) return `CHANGELOG.md: "${unknown[1]}" must be one of ${SECTIONS.join(', ')}`;
  return undefined;
}

/** Splits the CHANGELOG at the section "Unreleased". */
function unreleased(changelog) {
  const [, before = '', notes = '', after = ''] =
    /^(.*?\n## \[Unreleased\]\n)(.*?)((?:\n## \[.*)?)$/s.exec(changelog) ?? [];
  return { before, notes: notes.trim(), after };
}

/** Returns the CHANGELOG with a section for the version, and the notes of the release. */
export function withSection(changelog, version, date) {
  const { before, notes, after } = unreleased(changelog);
  return {
    changelog: `${before}\n## [${version}] - ${date}\n\n${notes}\n${after}`,
    notes: `# credmon ${version}\n\n${notes}\n`,
  };
}

/** Returns a text with the new version in every place of the old one. */
export function withVersion(text, from, to) {
  const quoted = from.replaceAll('.', '\\.');
  return text.replace(new RegExp(`(?<![\\d.])${quoted}(?!\\d|\\.\\d)`, 'g'), to);
}
