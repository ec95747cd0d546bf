// The words of random ClassAd expressions: literals, names, operators and functions.

export const INTEGERS =
  '0 1 2 3 7 -1 -2 10 60 255 3600 86400 -86399 4096 65536 2147483647 -2147483648 1000000007 9223372036854775807 -9223372036854775808'.split(
    ' ',
  );
export const REALS =
  '0.0 -0.0 0.5 1.5 -2.5 3.75 1e3 2.5E-3 1e-7 -1e22 1.7976931348623157e308 4.9e-324 0.1 100.0 123456.789 -7.25'.split(
    ' ',
  );
export const WORDS = [
  '',
  'a',
  'B',
  'gpu',
  'SSD',
  'node-17',
  'x y',
  'A,b',
  '7',
  '-2.5',
  'true',
  'é',
  "it's",
];
export const ESCAPES = [
  '\\n',
  '\\t',
  '\\\\',
  '\\"',
  '\\101',
  '\\303\\251',
  '\\q',
  "\\'",
  '\\7',
  '\\v',
];
export const ITEMS = [
  'a,b,c',
  'gpu, ssd',
  ' x  y ',
  ',,z',
  'a;b',
  '1,2,3',
  '4.5, -2',
  ' , ',
  '/usr/local/',
  'A,,a',
  'k=v',
];
export const DELIMITERS = [',', ' ', ', ', ';', '/', ';,', ':', '', '\\t '];
export const PATTERNS = [
  'a',
  '^n',
  '[0-9]+',
  '(g)(p)?',
  'x*',
  '(a|b)c',
  '\\\\d+',
  '.',
  '^',
  '$',
  '[',
  '(?i)GPU',
  'o{2}',
  '\\\\bn',
  '(x)?y',
  's$',
  '(?=o)',
  '[^a]',
];
export const REPLACEMENTS = ['', '-', '<\\\\0>', '\\\\1', '[\\\\1\\\\2]', '\\\\9', 'x\\\\', '$1'];
export const OPTIONS = ['', 'i', 'g', 'f', 'gf', 'm', 'x', 'ims', 'I'];
export const VERSIONS = [
  '8.2',
  '8.10',
  '8.2.1',
  '09',
  '9.0',
  '10.x',
  'a',
  '',
  '23.0.0-rc1',
  '1.001',
  '1.01',
];
export const ZONES = ['', 'Z', '+00:00', '-06:00', '+0530', ' +01:00', '-00:30'];
export const SPANS = [
  '0',
  '59',
  '1:02',
  '01:02:03',
  '4+05:06:07',
  '-3',
  '1.5',
  '90',
  '2d3h',
  '5m',
  '7s',
  '-1d2h3m4.25s',
  '00.5',
  '1+00:00:00',
  '100000',
];
export const NAMES = [
  'Cpus',
  'Name',
  'Missing',
  'Broken',
  'Slots',
  'Tags',
  'Prio',
  'Rank3',
  'Load',
  'Up',
  'When',
  'Span',
  'Nest',
  'Jobs',
  'Text',
  'NoSuch',
];
export const SCOPES = [
  'MY.',
  'TARGET.',
  'Nest.',
  '.',
  'self.',
  'root.',
  'toplevel.',
  'MY.Nest.',
  'Nest.Deep.',
  'Jobs.',
];
export const FIELDS = ['Inner', 'Outer', 'Own', 'Up', 'Prio', 'Deep', 'Name', 'x'];
export const OPERATORS =
  '+ + - - * * / / % == != < <= > >= =?= =!= is isnt && || & | ^ << >> >>>'.split(' ');
export const UNARY = ['!', '~', '-', '+', '- '];
export const SOUP = [
  ...OPERATORS,
  ...UNARY,
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  ',',
  ';',
  '.',
  '?',
  ':',
  '=',
  '"',
  "'",
  '/*',
  '*/',
  '//',
  '0x1F',
  '017',
  '1.',
  '1e',
  '\\',
  '@',
  '..',
  'is',
  'true',
  '5',
  'a',
];

/** A call's name and its arguments' kinds; `?` ends the required ones. */
export const CALLS = (
  'member any list|identicalMember any list|anyCompare comparison list any|allCompare comparison list any|size any|sum list|avg list|min list|max list|' +
  'int any|real any|bool any|string any|floor number|ceil number|ceiling any|round number|pow number ? number|pow small small|quantize number number|quantize number list|' +
  'strcat any any|strcat any ? any any|substr text small ? small|strcmp any any|stricmp text text|toUpper any|toLower text|join text list|join text any any|join list|join|' +
  'versioncmp version version|versionGT version version|versionLE version any|versionEQ version version|version_in_range version version version|' +
  'regexp pattern text ? options|regexpMember pattern list ? options|regexps pattern text replacement ? options|replace pattern text replacement ? options|' +
  'replaceAll pattern text replacement ? options|stringList_regexpMember pattern items ? delimiters options|' +
  'stringListSize items ? delimiters|stringListSum items ? delimiters|stringListAvg items ? delimiters|stringListMin items ? delimiters|stringListMax items ? delimiters|' +
  'stringListMember text items ? delimiters|stringListIMember text items ? delimiters|stringListSubsetMatch items items ? delimiters|' +
  'stringListISubsetMatch items items ? delimiters|stringListsIntersect items items ? delimiters|split items ? delimiters|splitUserName text|splitSlotName text|' +
  'envV1ToV2 environment|mergeEnvironment environment ? environment any|listToArgs list ? small|argsToList environment ? small|' +
  'absTime any ? small|relTime any|getYear abstime|getMonth abstime|getDayOfYear abstime|getDayOfMonth abstime|getDayOfWeek abstime|getDays reltime|getHours any|' +
  'getMinutes abstime|getSeconds reltime|splitTime any|splitTime abstime|splitTime reltime|formatTime abstime ? format|formatTime integer format|interval number|' +
  'ifThenElse any any any|eval text|eval any|unparse name|unresolved name ? pattern|debug any|isUndefined any|isError any|isString any|isInteger any|isReal any|isList any|' +
  'isClassAd any|isBoolean any|isAbsTime any|isRelTime any|evalInEachContext any list|evalInEachContext name name|countMatches any name|countMatches name list|' +
  'userMap text any ? any any|userHome any ? any|noSuchFunction any'
)
  .split('|')
  .map((line) => {
    const [name = '', ...kinds] = line.split(' ');
    const required = kinds.indexOf('?');
    return {
      name,
      kinds: kinds.filter((kind) => kind !== '?'),
      least: required < 0 ? kinds.length : required,
    };
  });
