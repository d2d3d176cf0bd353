// Installs Mesa's software Vulkan driver (lavapipe) on Debian and Ubuntu: from the release itself where its Mesa is
// new enough, else from the release's backports.
import { writeFileSync } from 'node:fs';
import { furtherSuite, releaseSource, servesSuite } from './aptSources.mjs';
import { candidateVersion, installPackages, updateLists } from './apt.mjs';
import { SetupError, say } from './report.mjs';
import { DRIVER_PACKAGES, advice, aptSources } from './system.mjs';

/** Older lavapipe is refused by Dawn: Mesa 22.3 lacks dynamically indexed arrays of buffers. */
const OLDEST_MESA = 23;

/** The file that this set-up adds. Removing it, and the packages, undoes all that was done. */
const BACKPORTS_FILE = '/etc/apt/sources.list.d/forerun-backports.sources';

/**
 * Installs the driver; needs root.
 * @param {Record<string, string>} release the fields of os-release
 */
export function installLavapipe(release) {
  const [driver] = DRIVER_PACKAGES;
  updateLists();
  const own = candidateVersion(driver);
  if (isNewEnough(own)) {
    say(`installing ${driver} ${own} with apt: a software Vulkan driver, so that WebGPU runs without a GPU`);
    installPackages(DRIVER_PACKAGES);
    return;
  }
  const suite = enableBackports(release, own);
  const backport = candidateVersion(driver, suite);
  if (!isNewEnough(backport)) {
    throw new SetupError(`${suite} offers no ${driver} of version ${OLDEST_MESA} or newer.\n${advice()}`);
  }
  say(
    `installing ${driver} ${backport} from ${suite}: a software Vulkan driver, so that WebGPU runs without a GPU`,
  );
  installPackages(DRIVER_PACKAGES, suite);
}

/** Adds the backports of the machine's own mirror unless some source has them; gives the suite's name. */
function enableBackports(release, own) {
  const codename = release.VERSION_CODENAME;
  const why =
    own === undefined
      ? 'apt knows no mesa-vulkan-drivers'
      : `this system's own Mesa (${own}) is too old for Dawn`;
  if (release.ID !== 'debian' || codename === undefined) throw new SetupError(`${why}.\n${advice()}`);
  const suite = `${codename}-backports`;
  const sources = aptSources();
  if (servesSuite(sources, suite)) return suite;
  const mirror = releaseSource(sources, codename);
  if (mirror === undefined) {
    throw new SetupError(
      `${why}, and no apt source for ${codename} names a mirror to take ${suite} from.\n${advice()}`,
    );
  }
  say(`${why}: adding ${suite} of ${mirror.uris[0]} in ${BACKPORTS_FILE}`);
  writeFileSync(
    BACKPORTS_FILE,
    furtherSuite(mirror, suite, "Added by Forerun's set-up: a Mesa new enough for WebGPU."),
  );
  updateLists(BACKPORTS_FILE);
  return suite;
}

/** Whether a Debian version such as "25.0.7-2~bpo12+1" or "1:24.2.8" is at least the oldest Mesa that works. */
export function isNewEnough(version) {
  return Number(/^(?:\d+:)?(\d+)\./.exec(version ?? '')?.[1] ?? 0) >= OLDEST_MESA;
}
