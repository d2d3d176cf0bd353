// Reads the machine's own apt sources, in both of apt's formats, to learn which mirror it uses, and writes the
// one further source that the set-up may add. Pure text in, text out.

/**
 * @typedef {object} AptSource One enabled source of binary packages.
 * @property {string[]} uris
 * @property {string[]} suites for example ["bookworm", "bookworm-updates"]
 * @property {string[]} components for example ["main"]
 * @property {Record<string, string>} options further deb822 fields by lower-case name, for example "signed-by";
 *   a key given inline keeps its lines
 */

/**
 * The enabled `deb` sources of a file.
 * @param {string} name the file's name: ".sources" files are deb822, all others one source a line
 * @param {string} text
 * @returns {AptSource[]}
 */
export function parseSources(name, text) {
  return name.endsWith('.sources') ? parseDeb822(text) : parseOneLine(text);
}

/** Paragraphs of "Field: value" with continuation lines, divided by empty lines. */
function parseDeb822(text) {
  const withoutComments = text
    .split(/\r?\n/)
    .filter((line) => !line.startsWith('#'))
    .join('\n');
  return withoutComments.split(/\n[ \t]*\n/).flatMap((paragraph) => {
    const fields = {};
    let field;
    for (const line of paragraph.split('\n')) {
      const start = /^([A-Za-z][A-Za-z0-9-]*)[ \t]*:[ \t]*(.*)$/.exec(line);
      if (start !== null) fields[(field = start[1].toLowerCase())] = start[2].trimEnd();
      else if (/^[ \t]/.test(line) && field !== undefined) fields[field] += `\n${line.trimEnd()}`;
    }
    const { types, uris, suites, components, enabled, ...options } = fields;
    const isOff = /^(no|false|off|0|without|disable)$/i.test(enabled ?? '');
    if (isOff || !words(types).includes('deb') || uris === undefined || suites === undefined) return [];
    return [{ uris: words(uris), suites: words(suites), components: words(components), options }];
  });
}

/** Lines of the form `deb [option=value …] uri suite component …`. */
function parseOneLine(text) {
  return text.split(/\r?\n/).flatMap((line) => {
    const match = /^[ \t]*deb[ \t]+(?:\[([^\]]*)\][ \t]*)?(\S+)[ \t]+(\S+)([^#]*)/.exec(line);
    if (match === null) return [];
    const [, bracket, uri, suite, components] = match;
    const options = {};
    for (const option of words(bracket)) {
      const [key, value] = option.split(/\+?=(.*)/);
      options[DEB822_NAMES[key.toLowerCase()] ?? key.toLowerCase()] = (value ?? '').replaceAll(',', ' ');
    }
    return [{ uris: [uri], suites: [suite], components: words(components), options }];
  });
}

/** Options whose names differ between the two formats. */
const DEB822_NAMES = { arch: 'architectures', lang: 'languages', target: 'targets' };

/**
 * The source that serves a release's own packages: that whose suite is the code name, or else one of Debian's
 * moving names for it. Undefined where there is none.
 * @param {AptSource[]} sources
 * @param {string} codename for example "bookworm"
 * @returns {AptSource | undefined}
 */
export function releaseSource(sources, codename) {
  const main = sources.filter(({ components }) => components.includes('main'));
  const named = (suite) => main.find(({ suites }) => suites.includes(suite));
  return named(codename) ?? named('stable') ?? named('oldstable') ?? named('oldoldstable');
}

/** Whether some source already serves that suite's main component. */
export function servesSuite(sources, suite) {
  return sources.some(({ suites, components }) => suites.includes(suite) && components.includes('main'));
}

/** Fields that say how a mirror is to be trusted and reached: those that a further suite of the same mirror shares. */
const SHARED_FIELDS = {
  'signed-by': 'Signed-By',
  architectures: 'Architectures',
  trusted: 'Trusted',
  'allow-insecure': 'Allow-Insecure',
  'check-valid-until': 'Check-Valid-Until',
  'check-date': 'Check-Date',
};

/**
 * The text of a deb822 file for another suite on the same mirror, with the same key.
 * @param {AptSource} source
 * @param {string} suite for example "bookworm-backports"
 * @param {string} comment why the file is there, one line
 * @returns {string}
 */
export function furtherSuite(source, suite, comment) {
  const shared = Object.entries(SHARED_FIELDS)
    .filter(([key]) => source.options[key] !== undefined)
    .map(([key, field]) => `${field}: ${source.options[key]}`.replace(': \n', ':\n'));
  const lines = [
    `# ${comment}`,
    'Types: deb',
    `URIs: ${source.uris.join(' ')}`,
    `Suites: ${suite}`,
    'Components: main',
  ];
  return [...lines, ...shared, ''].join('\n');
}

function words(text) {
  return (text ?? '').split(/\s+/).filter((word) => word !== '');
}
