// Imported first by the set-up: an older Node would fail at some later line without saying why.
const WANTED = [20, 19];

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < WANTED[0] || (major === WANTED[0] && minor < WANTED[1])) {
  console.error(
    `Forerun's workspace needs Node ${WANTED.join('.')} or newer; this is ${process.versions.node}.`,
  );
  process.exit(1);
}
