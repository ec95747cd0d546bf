// The built-in templates: the recorded changes of each, and the insertion of arguments.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { warningText } from '../../../src/config/table/config.ts';
import templates from '../../../src/config/syntax/templates.json' with { type: 'json' };
import { fillArguments, parseUses } from '../../../src/config/syntax/templates.ts';
import type { ReadOptions } from '../../../src/config/syntax/reader-state.ts';
import { FACTS, memoryHost, readText } from '../read-text.ts';

const recorded = (name: string): Record<string, Record<string, string | null>> =>
  JSON.parse(
    readFileSync(
      fileURLToPath(
        new URL(`../../../../../test-fixtures/golden/config/${name}.json`, import.meta.url),
      ),
      'utf8',
    ),
  ) as Record<string, Record<string, string | null>>;

const ADMIN = { facts: { ...FACTS, early: { ...FACTS.early, CondorIsAdmin: 'true' } } };

/** The knobs that a text changes, in lower case, with their raw values. */
function changes(text: string, options: Partial<ReadOptions> = {}): Record<string, unknown> {
  const plain = readText('', options);
  const changed = readText(text, options);
  const names = changed.names().filter((knob) => changed.raw(knob) !== plain.raw(knob));
  return Object.fromEntries(names.map((knob) => [knob.toLowerCase(), changed.raw(knob)]));
}

describe('a template without arguments makes the changes that HTCondor 25.14 records, and no others', () => {
  test.each(Object.entries(recorded('template-effects')))('use %s', (label, wanted) => {
    expect(changes(`use ${label}\n`, ADMIN)).toEqual(
      Object.fromEntries(Object.entries(wanted).map(([knob, raw]) => [knob.toLowerCase(), raw])),
    );
  });
});

describe('a template with arguments makes the changes that HTCondor 25.14 records', () => {
  test.each(Object.entries(recorded('template-arguments')))('use %s', (use, wanted) => {
    const got = readText(`use ${use}\n`);
    expect(
      Object.fromEntries(
        Object.keys(wanted).map((knob) => [knob, got.raw(knob)?.trimStart() ?? null]),
      ),
    ).toEqual(wanted);
  });

  test.each([
    ['EXPERIMENTAL : HAD', { daemon_list: 'MASTER HAD REPLICATION' }],
    [
      'EXPERIMENTAL : CollectorNode(3, 9620)',
      {
        collector3: '$(COLLECTOR)',
        collector3_args: '-f -local-name COLLECTOR3 -p 9620',
        daemon_list: 'MASTER COLLECTOR3',
      },
    ],
    [
      'EXPERIMENTAL : HADFixedPort(SCHEDD, cm1, 51450, 41450)',
      {
        had_args: '-p 51450',
        had_list: ' cm1:51450',
        replication_list: ' cm1:41450',
        master_schedd_controller: 'HAD',
      },
    ],
    [
      'EXPERIMENTAL : HADSharedPort(SCHEDD, cm1)',
      { had_list: ' cm1:$(SHARED_PORT_PORT)', had_controllee: 'SCHEDD' },
    ],
    ['UPGRADE : DISCARDIF', { max_credd_log: '4000000', max_had_log: '1000000' }],
    [
      'FEATURE : AssignProjectName(projects, /etc/condor/projects.map)',
      {
        job_transform_names: 'SetProjectName',
        submit_requirement_names: 'RequireProjectName',
        classad_user_mapfile_projects: '/etc/condor/projects.map',
        schedd_classad_user_map_names: ' projects',
      },
    ],
    [
      'FEATURE : SetJobAttrFromUserMap(Project, Owner, projects)',
      { job_transform_setproject: 'EVALSET Project usermap("projects",Owner,Project)' },
    ],
    [
      'FEATURE : AssignAccountingGroup(/etc/condor/groups.map)',
      {
        immutable_job_attrs: ' AcctGroup AcctGroupUser AccountingGroup',
        submit_requirement_names: ' CheckRequestedGroup AssignAccountingGroup',
      },
    ],
    [
      'FEATURE : AssignAccountingGroup(/etc/condor/groups.map, false)',
      { submit_requirement_names: ' AssignAccountingGroup' },
    ],
    [
      'FEATURE : StartdCronPeriodic(DISK, 5m, /usr/libexec/disk, -a, -b)',
      { startd_cron_disk_args: '-a', startd_cron_disk_period: '5m' },
    ],
    ['FEATURE : GPUs(-extra, -verbose)', {}],
    [
      'POLICY : WANT_HOLD_IF(TooBig, 77, too much memory)',
      {
        preempt: '$(TooBig) || False',
        want_hold: '(JobUniverse != 1 && $(TooBig))',
        want_hold_subcode: 'ifThenElse($(TooBig), 77 , UNDEFINED)',
        want_hold_reason: 'ifThenElse($(TooBig), "too much memory", UNDEFINED)',
      },
    ],
    [
      'SECURITY : recommended(svc, admin@pool.test)',
      { allow_administrator: 'svc@* condor@password admin@pool.test' },
    ],
    [
      'FEATURE : PelicanCache(64GB, /scratch/cache, fed.pool.test)',
      { pelicancache_runlocation: '/scratch/cache', pelicancache_federation: 'fed.pool.test' },
    ],
    [
      'FEATURE : LIBRARIAN(20GB, /var/lib/lib.db)',
      { librarian_max_database_size: '20GB', librarian_database: '/var/lib/lib.db' },
    ],
    ['FEATURE : REMOTE_RUNTIME_CONFIG(START, RANK)', { settable_attrs_config: ' START, RANK' }],
    [
      'FEATURE : POLICY_HOURS_TO_START(9, 18, 1, 5)',
      {
        workweekfirstday: '1',
        isworkday: 'ClockDay >= $INT(WorkweekFirstDay) && ClockDay <= $INT(WorkWeekLastDay)',
      },
    ],
  ])('use %s', (use, wanted) => {
    expect(changes(`use ${use}\n`)).toMatchObject(wanted);
  });

  test('the cron templates set a period only for continuous jobs, and kill only those that run once', () => {
    expect(changes('use FEATURE : StartdCronContinuous(NET, /usr/libexec/net)\n')).toEqual({
      startd_cron_joblist: ' NET',
      startd_cron_net_executable: '/usr/libexec/net',
      startd_cron_net_mode: 'WaitForExit',
      startd_cron_net_period: '0',
    });
    expect(changes('use FEATURE : StartdCronOneShot(NET, /x)\n')).toMatchObject({
      startd_cron_net_kill: 'true',
    });
  });

  test('GPUs uses its first argument only', () => {
    const config = readText('use FEATURE : GPUs(-extra, -verbose)\n');
    expect(config.raw('MACHINE_RESOURCE_INVENTORY_GPUs')).toBe(
      '$(LIBEXEC)/condor_gpu_discovery -extra -properties $(GPU_DISCOVERY_EXTRA)',
    );
  });

  test('USER_BASED names the user of a process that is not root, and ignores its argument', () => {
    const { authuser, allow_write } = changes('use SECURITY : USER_BASED(svc)\n');
    expect([authuser, allow_write]).toEqual(['$(USERNAME)', '$(authuser)@$(UID_DOMAIN)']);
  });
});

describe('a template that HTCondor rejects ends the reading', () => {
  test.each([
    ['FEATURE : AssignAccountingGroup', 'no map file'],
    ['FEATURE : AssignProjectName', 'no map'],
    ['FEATURE : ContinuousCronHook', 'too few arguments'],
    ['FEATURE : OneShotCronHook(STARTD_CRON, J)', 'too few arguments'],
    ['FEATURE : PeriodicCronHook', 'too few arguments'],
    ['FEATURE : ScheddCronContinuous', 'too few arguments'],
    ['FEATURE : ScheddCronOneShot', 'too few arguments'],
    ['FEATURE : ScheddCronPeriodic', 'too few arguments'],
    ['FEATURE : StartdCronContinuous', 'too few arguments'],
    ['FEATURE : StartdCronOneShot', 'too few arguments'],
    ['FEATURE : StartdCronPeriodic(J, 5m)', 'too few arguments'],
    ['FEATURE : Monitor', 'too few arguments'],
    ['FEATURE : ScheddUserMapFile', 'too few arguments'],
    ['FEATURE : SetJobAttrFromUserMap', 'too few arguments'],
    ['POLICY : PREEMPT_IF', 'no argument'],
    ['POLICY : WANT_HOLD_IF', 'no argument'],
    ['POLICY : WANT_HOLD_IF(X)', 'too few arguments'],
    ['EXPERIMENTAL : HADSharedPort', 'Illegal Identifier: <MASTER_$(SHARED_PORT_PORT)_CONTROLLER>'],
    ['FEATURE : VMware', 'use FEATURE:VMware: HTCondor rejects this template'],
    ['POLICY : TESTINGMODE', 'use POLICY:TESTINGMODE: HTCondor rejects this template'],
    ['UPGRADE : DISCARD', 'use UPGRADE:DISCARD: HTCondor rejects this template'],
  ])('use %s', (use, message) => {
    expect(() => readText(`A = 1\nuse ${use}\n`)).toThrow(message);
    expect(() => readText(`A = 1\nuse ${use}\n`)).toThrow('/c:2: ');
  });

  test('HTCondor 25.14 accepts 80 names and rejects the text of one', () => {
    const counts = Object.entries(templates).map(([category, names]) => [
      category,
      Object.values(names).filter((lines) => lines !== null).length,
    ]);
    expect(Object.fromEntries(counts)).toEqual({
      ROLE: 7,
      FEATURE: 37,
      POLICY: 18,
      SECURITY: 9,
      EXPERIMENTAL: 5,
      UPGRADE: 4,
    });
  });
});

describe('DefaultCheckpointDestination', () => {
  const use = 'use FEATURE : DefaultCheckpointDestination\n';

  test('without its knobs there is a warning that names them, with file and line', () => {
    const [warning, ...others] = readText(`\n${use}`).warnings;
    expect([warning?.file, warning?.line, others]).toEqual(['/c', 2, []]);
    expect(warning?.message).toMatch(
      /DEFAULT_CHECKPOINT_DESTINATION_PREFIX or DEFAULT_CHECKPOINT_DESTINATION/,
    );
  });

  test('with a prefix the transform is defined', () => {
    const config = readText(`DEFAULT_CHECKPOINT_DESTINATION_PREFIX = osdf:///c\n${use}`);
    expect([config.warnings, config.raw('JOB_TRANSFORM_NAMES')]).toEqual([
      [],
      'CheckpointStorage ',
    ]);
  });
});

test.each([
  ['X = $(1)', 'a, b', 'X = a'],
  ['X = $(2)', 'a, b (c, d)', 'X = b (c'],
  ['X = $(2)|$(3)', 'a,, b,', 'X = b|'],
  ['X = $(1)', ' , a', 'X = a'],
  ['X = $(0)', 'a, b', 'X = a, b'],
  ['X = $(2+)', 'a, b,c', 'X = b,c'],
  ['X = $(1+)', ',a, b', 'X = a, b'],
  ['X = $(2+)', 'a, , b', 'X = , b'],
  ['X = $(2+:100%)', 'a,', 'X = 100%'],
  ['X = $(2+:100%)', 'a, ', 'X = '],
  ['X = $(2?:b) $(0?) $(0)', ' ', 'X = 1 0 '],
  ['X = $(0#)', 'a, b', 'X = 2'],
  ['X = $(0#)', ' ,, ', 'X = 0'],
  ['X = $(1:$(2:$(3: z )))', '', 'X = z'],
  ['X = $(0#)', undefined, 'X = 0'],
  ['X = $(2?) $(3?)', 'a, b', 'X = 1 0'],
  ['X = $(1:24*3600)', undefined, 'X = 24*3600'],
  ['X = $(1:$(NUM_CPUS))', '', 'X = $(NUM_CPUS)'],
  ['X = $(LOG) $($(1))', 'Y', 'X = $(LOG) $(Y)'],
])('%s with (%s) reads %s', (line, text, filled) => {
  expect(fillArguments(line, text)).toBe(filled);
});

describe('the items of a use statement', () => {
  test.each<[string, [string, string | undefined][]]>([
    [
      ' A, B C,,D ',
      [
        ['A', undefined],
        ['B', undefined],
        ['C', undefined],
        ['D', undefined],
      ],
    ],
    ['A(x, (y)) ', [['A', 'x, (y)']]],
    ['A (x)', [['A', 'x']]],
    ['A([x)], y)', [['A', '[x)], y']]],
    [
      'A(x), B, C(y)',
      [
        ['A', 'x'],
        ['B', 'x'],
        ['C', 'y'],
      ],
    ],
    ['A(x)(y) B', [['A', 'x']]],
    [
      'A(x B',
      [
        ['A', undefined],
        ['x', undefined],
        ['B', undefined],
      ],
    ],
    [`A${'('.repeat(30)}${')'.repeat(30)}`, [['A', undefined]]],
    ['', []],
  ])('%s', (items, wanted) => {
    expect(parseUses(items)).toEqual(wanted.map(([name, given]) => ({ name, arguments: given })));
  });
});

describe('a template that HTCondor may know, but this table does not contain', () => {
  const skipped = (label: string, hint = ''): string =>
    `use ${label} is ignored and its settings are missing: unknown template${hint}; if HTCondor has it, replace this line with the output of "condor_config_val use ${label}"`;

  test.each([
    ['use FEATURE : Nope', [skipped('FEATURE:Nope')]],
    ['use feature : OAUHT', [skipped('feature:OAUHT', '; did you mean FEATURE:OAUTH?')]],
    ['use feature : OAut', [skipped('feature:OAut', '; did you mean FEATURE:OAUTH?')]],
    ['use FEATURE : Submit', [skipped('FEATURE:Submit', '; did you mean ROLE:Submit?')]],
    ['use FEATURE : METRICD', [skipped('FEATURE:METRICD')]],
    ['use UPGRADE : DISCARDY', [skipped('UPGRADE:DISCARDY', '; did you mean UPGRADE:DISCARD?')]],
    ['use FEATURE : One(a, b), OAUTH, Two', [skipped('FEATURE:One'), skipped('FEATURE:Two')]],
    ['if false\nuse FEATURE : Nope\nendif', []],
  ])('%s: a warning with file and line, and all other settings are used', (statement, messages) => {
    const config = readText(`\n${statement}\nA = 1\nuse ROLE : Submit\n`);
    const line = 2;
    expect([config.get('A'), config.get('DAEMON_LIST')?.includes('SCHEDD')]).toEqual(['1', true]);
    expect(config.warnings).toEqual(messages.map((message) => ({ message, file: '/c', line })));
  });

  test('the following templates are read', () => {
    const config = readText('use FEATURE : One, OAUTH\n');
    expect(config.get('SEC_CREDENTIAL_DIRECTORY_OAUTH')).toBe('/var/lib/condor/oauth_credentials');
  });

  describe('the installed HTCondor knows it', () => {
    const text = 'DAEMON_LIST = $(DAEMON_LIST) METRICD\nif $(1?)\nMETRICD_ARGS = -p $(1)\nendif\n';
    const files = { '/c': 'use FEATURE : METRICD(9100)\nA = 1\n' };
    const host = memoryHost(files, { 'condor_config_val use FEATURE:METRICD': text });

    test('its text is read with the arguments, without a warning', () => {
      const config = readText('', { host });
      expect([config.raw('METRICD_ARGS'), config.get('DAEMON_LIST'), config.warnings]).toEqual([
        '-p 9100',
        'MASTER METRICD',
        [],
      ]);
      expect(config.origin('METRICD_ARGS')).toEqual({
        kind: 'file',
        file: '/c',
        line: 1,
        template: 'FEATURE:METRICD+3',
      });
    });

    test('HTCondor is asked once for a name, and not for names of the table', () => {
      const asked: string[] = [];
      const counting = {
        ...host,
        readFile: () =>
          Buffer.from('use FEATURE : METRICD, metricd, OAUTH, No-Word\nuse ROLE : Submit\n'),
        templateText: (label: string) => {
          asked.push(label);
          return undefined;
        },
      };
      readText('', { host: counting });
      expect(asked).toEqual(['FEATURE:METRICD']);
    });

    test('a condition about it is true, and one about a rejected name is false', () => {
      files['/c'] =
        'if defined use FEATURE:METRICD\nB = 1\nendif\nif defined use FEATURE:VMware\nC = 1\nendif\n';
      const config = readText('', { host });
      expect([config.get('B'), config.get('C')]).toEqual(['1', undefined]);
    });

    test('it is not asked where commands are not allowed', () => {
      files['/c'] = 'use FEATURE : METRICD\n';
      expect(readText('', { host, commandsAllowed: false }).warnings).toHaveLength(1);
    });
  });

  test('a warning has its position', () => {
    expect([
      warningText({ message: 'odd', file: '/c', line: 7 }),
      warningText({ message: 'odd' }),
    ]).toEqual(['/c, line 7: odd', 'odd']);
  });
});

test('a knob set by a template has its name and line', () => {
  const config = readText('A = 1\nuse FEATURE : OAUTH\n');
  const origin = { kind: 'file', file: '/c', line: 2, template: 'FEATURE:OAUTH+1' };
  expect(config.origin('SEC_CREDENTIAL_DIRECTORY_OAUTH')).toEqual(origin);
});

test('docs/templates.md lists all templates, and no others', () => {
  const page = readFileSync(
    fileURLToPath(new URL('../../../../../docs/templates.md', import.meta.url)),
    'utf8',
  );
  const named = [...page.matchAll(/^- `([A-Za-z0-9_]+)|(?<=: |, )`([A-Za-z0-9_]+)`(?=[,.])/gm)].map(
    ([, a, b]) => a ?? b,
  );
  expect(named.sort()).toEqual(
    Object.values(templates)
      .flatMap((names) => Object.keys(names))
      .sort(),
  );
});
