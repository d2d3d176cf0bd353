// The set-up takes its Debian mirror from the machine's own apt sources: both of apt's formats have to be read as
// apt reads them, and the source it adds has to carry the same key.
import { furtherSuite, parseSources, releaseSource, servesSuite } from '../scripts/setup/aptSources.mjs';

const DEBIAN_SOURCES = `Types: deb deb-src
# a comment inside a paragraph
URIs: http://mirror.example.org/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example.org/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`;

describe('parseSources, deb822', () => {
  test('reads every paragraph', () => {
    const sources = parseSources('debian.sources', DEBIAN_SOURCES);
    expect(sources).toHaveLength(2);
    expect(sources[0]).toEqual({
      uris: ['http://mirror.example.org/debian'],
      suites: ['bookworm', 'bookworm-updates'],
      components: ['main', 'contrib'],
      options: { 'signed-by': '/usr/share/keyrings/debian-archive-keyring.gpg' },
    });
  });

  test('leaves out sources that are off or serve no binary packages', () => {
    const off = 'Enabled: no\nTypes: deb\nURIs: http://a.example\nSuites: bookworm\nComponents: main\n';
    const source = 'Types: deb-src\nURIs: http://a.example\nSuites: bookworm\nComponents: main\n';
    expect(parseSources('x.sources', `${off}\n${source}`)).toEqual([]);
  });

  test('reads field names in any case, values over several lines and Windows line ends', () => {
    const text =
      'types: deb\r\nURIS:\r\n http://a.example/debian\r\n http://b.example/debian\r\nSuites: trixie\r\nComponents: main\r\n';
    expect(parseSources('x.sources', text)).toEqual([
      {
        uris: ['http://a.example/debian', 'http://b.example/debian'],
        suites: ['trixie'],
        components: ['main'],
        options: {},
      },
    ]);
  });

  test('keeps a key that is given inline', () => {
    const key = ' -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQINBGPL\n -----END PGP PUBLIC KEY BLOCK-----';
    const text = `Types: deb\nURIs: http://a.example/debian\nSuites: bookworm\nComponents: main\nSigned-By:\n${key}\n`;
    const [source] = parseSources('x.sources', text);
    if (source === undefined) throw new Error('the source was not read');
    expect(furtherSuite(source, 'bookworm-backports', 'why')).toContain(`Signed-By:\n${key}\n`);
  });
});

describe('parseSources, one line a source', () => {
  test('reads plain lines and skips comments and deb-src', () => {
    const text = `# deb http://off.example/debian bookworm main
deb http://mirror.example.org/debian bookworm main contrib # the mirror
deb-src http://mirror.example.org/debian bookworm main

  deb\thttp://mirror.example.org/debian\tbookworm-updates\tmain
`;
    expect(parseSources('sources.list', text)).toEqual([
      {
        uris: ['http://mirror.example.org/debian'],
        suites: ['bookworm'],
        components: ['main', 'contrib'],
        options: {},
      },
      {
        uris: ['http://mirror.example.org/debian'],
        suites: ['bookworm-updates'],
        components: ['main'],
        options: {},
      },
    ]);
  });

  test('reads options in brackets under their deb822 names', () => {
    const text =
      'deb [ arch=amd64,arm64 signed-by=/k/a.gpg trusted=yes ] https://m.example/debian bookworm main\n';
    expect(parseSources('x.list', text)[0]?.options).toEqual({
      architectures: 'amd64 arm64',
      'signed-by': '/k/a.gpg',
      trusted: 'yes',
    });
  });

  test('an absolute suite without components is read too', () => {
    expect(parseSources('x.list', 'deb https://m.example/flat ./\n')).toEqual([
      { uris: ['https://m.example/flat'], suites: ['./'], components: [], options: {} },
    ]);
  });
});

describe('releaseSource', () => {
  test('is the source of the release itself, not of its updates or of a third party', () => {
    const sources = [
      ...parseSources('a.list', 'deb https://third.example/apt stable main\n'),
      ...parseSources('debian.sources', DEBIAN_SOURCES),
    ];
    expect(releaseSource(sources, 'bookworm')?.uris).toEqual(['http://mirror.example.org/debian']);
  });

  test('accepts a moving name where no source has the code name', () => {
    const sources = parseSources('sources.list', 'deb http://m.example/debian oldstable main\n');
    expect(releaseSource(sources, 'bookworm')?.uris).toEqual(['http://m.example/debian']);
  });

  test('is undefined where nothing serves the release', () => {
    expect(
      releaseSource(parseSources('sources.list', 'deb http://m.example/debian sid main\n'), 'bookworm'),
    ).toBeUndefined();
  });
});

describe('furtherSuite', () => {
  test('names the same mirror and key, and reads back as apt would read it', () => {
    const sources = parseSources('debian.sources', DEBIAN_SOURCES);
    const mirror = releaseSource(sources, 'bookworm');
    if (mirror === undefined) throw new Error('no mirror was found');
    const text = furtherSuite(mirror, 'bookworm-backports', 'Why it is there.');
    expect(text).toBe(`# Why it is there.
Types: deb
URIs: http://mirror.example.org/debian
Suites: bookworm-backports
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`);
    expect(servesSuite(sources, 'bookworm-backports')).toBe(false);
    expect(servesSuite(parseSources('new.sources', text), 'bookworm-backports')).toBe(true);
  });
});
