import { describe, expect, test } from 'vitest';
import { parseCommandLine } from '../../examples/git-history/command-line.ts';
import { Failure, describeFailure } from '../../examples/git-history/failure.ts';

describe('the command line', () => {
  test.each([
    [
      ['import', 'project', '--store', 'sqlite:a.db'],
      {
        kind: 'import',
        repository: '/home/ada/project',
        store: { kind: 'sqlite', file: '/home/ada/a.db' },
        json: false,
      },
    ],
    [
      ['import', '--json', '--rev=v1.0', '--store=sqlite:/tmp/a.db', '/src'],
      {
        kind: 'import',
        repository: '/src',
        store: { kind: 'sqlite', file: '/tmp/a.db' },
        json: true,
        revision: 'v1.0',
      },
    ],
    [
      ['import', '--store', 'sqlite:C:', '--', '-odd'],
      { kind: 'import', repository: '/home/ada/-odd', store: { kind: 'sqlite', file: '/home/ada/C:' }, json: false },
    ],
    [
      ['tree', '01ab', '--store', 'sqlite:a.db'],
      { kind: 'tree', commit: '01ab', store: { kind: 'sqlite', file: '/home/ada/a.db' } },
    ],
    [
      ['tree', '01ab', '--store', 'postgres://me@db/git?schema=a'],
      { kind: 'tree', commit: '01ab', store: { kind: 'postgres', url: 'postgres://me@db/git?schema=a' } },
    ],
    [
      ['play', '--store', 'sqlite:/a.db'],
      { kind: 'play', speed: 100, json: false, store: { kind: 'sqlite', file: '/a.db' } },
    ],
    [
      ['play', '01ab', '--speed', '0.5', '--json', '--store', 'sqlite:/a.db'],
      { kind: 'play', commit: '01ab', speed: 0.5, json: true, store: { kind: 'sqlite', file: '/a.db' } },
    ],
    [
      ['play', '--speed=unthrottled', '--store', 'sqlite:/a.db'],
      { kind: 'play', speed: 'unthrottled', json: false, store: { kind: 'sqlite', file: '/a.db' } },
    ],
    [['play', '--help'], { kind: 'help' }],
    [
      ['churn', '--store', 'sqlite:a.db'],
      {
        kind: 'churn',
        by: 'path',
        prefix: '',
        top: 10,
        json: false,
        store: { kind: 'sqlite', file: '/home/ada/a.db' },
      },
    ],
    [
      ['churn', '--by=author', '--path', 'src/', '--top', '3', '--json', '--store', 'sqlite:/a.db'],
      { kind: 'churn', by: 'author', prefix: 'src/', top: 3, json: true, store: { kind: 'sqlite', file: '/a.db' } },
    ],
    [
      ['authors', '--store', 'sqlite:/a.db'],
      { kind: 'authors', top: Infinity, json: false, store: { kind: 'sqlite', file: '/a.db' } },
    ],
    [
      ['authors', '--top=5', '--json', '--store=sqlite:/a.db'],
      { kind: 'authors', top: 5, json: true, store: { kind: 'sqlite', file: '/a.db' } },
    ],
    [['churn', '--help'], { kind: 'help' }],
    [['authors', '-h'], { kind: 'help' }],
    [['--help'], { kind: 'help' }],
    [['import', '--help'], { kind: 'help' }],
    [['tree', '-h', '01ab'], { kind: 'help' }],
  ])('%j', (args, command) => {
    expect(parseCommandLine(args, '/home/ada')).toEqual(command);
  });

  test.each([
    [[], 'No command was given: import, tree, play, churn or authors.'],
    [['impotr'], 'There is no command "impotr", only import, tree, play, churn and authors.'],
    [['import', '--store', 'sqlite:x.db'], 'REPO is missing.'],
    [['import', '', '--store', 'sqlite:x.db'], 'REPO is missing.'],
    [['import', '.'], '--store URL is missing.'],
    [['import', '.', '--store', 'x.db'], '--store is "x.db", expected sqlite:FILE or postgres://….'],
    [['import', '.', '--store', 'sqlite:'], '--store is "sqlite:", expected sqlite:FILE or postgres://….'],
    [['import', '.', 'other', '--store', 'sqlite:x.db'], '"other" is one argument too many.'],
    [['import', '.', '--store', 'sqlite:x.db', '--rev='], '--rev is empty.'],
    [['import', '.', '--depth', '3'], "Unknown option '--depth'."],
    [['import', '.', '--store'], "Option '--store <value>' argument missing."],
    [['import', '.', '--json=yes'], "Option '--json' does not take an argument."],
    [['tree', '--store', 'sqlite:x.db'], 'COMMIT is missing.'],
    [
      ['tree', 'HEAD', '--store', 'sqlite:x.db'],
      `COMMIT is "HEAD", expected a commit's id or at least its first four digits.`,
    ],
    [
      ['tree', 'abc', '--store', 'sqlite:x.db'],
      `COMMIT is "abc", expected a commit's id or at least its first four digits.`,
    ],
    [
      ['play', 'HEAD', '--store', 'sqlite:x.db'],
      `COMMIT is "HEAD", expected a commit's id or at least its first four digits.`,
    ],
    [['play', 'abcd', 'abcd', '--store', 'sqlite:x.db'], '"abcd" is one argument too many.'],
    [['play', '', '--store', 'sqlite:x.db'], 'COMMIT is missing.'],
    [['play'], '--store URL is missing.'],
    ...['0', '0.09', '101', '1e1', '-1', 'fast', ''].map((speed): [string[], string] => [
      ['play', `--speed=${speed}`, '--store', 'sqlite:x.db'],
      `--speed is "${speed}", expected a factor from 0.1 to 100, or unthrottled.`,
    ]),
    [['churn', '.', '--store', 'sqlite:x.db'], '"." is one argument too many.'],
    [['churn'], '--store URL is missing.'],
    [['churn', '--by', 'size', '--store', 'sqlite:x.db'], '--by is "size", expected path or author.'],
    [['churn', '--top', '0', '--store', 'sqlite:x.db'], '--top is "0", expected a number from 1 on.'],
    [['authors', '--top', 'all', '--store', 'sqlite:x.db'], '--top is "all", expected a number from 1 on.'],
    [['authors', '--path', 'src/'], "Unknown option '--path'."],
    [['tree', 'abcd', '--json'], "Unknown option '--json'."],
  ])('%j is refused', (args, message) => {
    expect(() => parseCommandLine(args, '/home/ada')).toThrow(expect.objectContaining({ message, exitCode: 2 }));
  });
});

describe('a failure is told in one line', () => {
  test('with its remedy', () => {
    expect(describeFailure(new Failure('It\nbroke.', 'Mend it.'))).toBe('It broke. Mend it.');
  });

  test('also where it was not foreseen', () => {
    expect(describeFailure(new TypeError('x is not a function'))).toMatch(
      /^Unexpected: x is not a function\. .*report it\.$/,
    );
  });
});
