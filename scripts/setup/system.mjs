// What the set-up needs to know of the operating system, and the advice it prints where it may not install.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSources } from './aptSources.mjs';
import { readIfThere } from './stamps.mjs';

/** The packages of Mesa's software Vulkan driver (lavapipe) and of the loader that finds it. */
export const DRIVER_PACKAGES = ['mesa-vulkan-drivers', 'libvulkan1'];

/**
 * The fields of os-release by name, quotes removed; empty outside Linux.
 * @returns {Record<string, string>}
 */
export function osRelease(text = readIfThere('/etc/os-release') ?? '') {
  const pairs = text.matchAll(/^([A-Z_]+)=(["']?)(.*)\2[ \t]*$/gm);
  return Object.fromEntries([...pairs].map(([, key, , value]) => [key, value]));
}

/** Whether apt and Debian's package names can be counted on: Debian and Ubuntu themselves. */
export function hasApt(release) {
  return release.ID === 'debian' || release.ID === 'ubuntu';
}

/** All sources that apt itself would read. */
export function aptSources(directory = '/etc/apt') {
  const parts = join(directory, 'sources.list.d');
  let names = [];
  try {
    names = readdirSync(parts).filter((name) => /\.(list|sources)$/.test(name));
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  const main = readIfThere(join(directory, 'sources.list'));
  return [
    ...(main === undefined ? [] : parseSources('sources.list', main)),
    ...names.sort().flatMap((name) => parseSources(name, readFileSync(join(parts, name), 'utf8'))),
  ];
}

/** What a person has to do to get an adapter on a system where the set-up installs nothing. */
export function advice(platform = process.platform, release = osRelease()) {
  const software = "a GPU driver with Vulkan, or, without a GPU, Mesa's software driver";
  if (platform === 'darwin') {
    return 'On macOS WebGPU runs on Metal, which needs no installation; a virtual machine needs a paravirtual GPU.';
  }
  if (platform === 'win32') {
    return "On Windows WebGPU runs on Direct3D 12: install the graphics card's current driver.";
  }
  if (release.ID === 'debian') {
    return `Install ${software}:\n${debianCommands(release.VERSION_CODENAME ?? 'stable')}`;
  }
  const command = INSTALL_COMMANDS.find(([id]) =>
    [release.ID, ...(release.ID_LIKE ?? '').split(' ')].includes(id),
  );
  if (command !== undefined) return `Install ${software}:\n  ${command[1]}`;
  return `Install ${software} (lavapipe, Mesa 23.1 or newer) and the Vulkan loader.`;
}

const INSTALL_COMMANDS = [
  ['ubuntu', `sudo apt-get update && sudo apt-get install -y ${DRIVER_PACKAGES.join(' ')}`],
  ['debian', `sudo apt-get update && sudo apt-get install -y ${DRIVER_PACKAGES.join(' ')}`],
  ['fedora', 'sudo dnf install mesa-vulkan-drivers vulkan-loader'],
  ['rhel', 'sudo dnf install mesa-vulkan-drivers vulkan-loader'],
  ['arch', 'sudo pacman -S vulkan-swrast vulkan-icd-loader'],
  ['suse', 'sudo zypper install libvulkan_lvp libvulkan1'],
];

/** Debian 12's own Mesa (22.3) is too old for Dawn, so there the driver has to come from backports. */
function debianCommands(codename) {
  const packages = DRIVER_PACKAGES.join(' ');
  if (codename !== 'bookworm') return `  sudo apt-get update && sudo apt-get install -y ${packages}`;
  return [
    '  (add the suite bookworm-backports of your Debian mirror to /etc/apt/sources.list.d, then)',
    `  sudo apt-get update && sudo apt-get install -y -t bookworm-backports ${packages}`,
  ].join('\n');
}
