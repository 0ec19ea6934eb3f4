import { own } from "./own.ts";

/** What a machine is called in a configuration, and what people and other programs call the same. */

/** Operating systems that xy runs on. */
export const SYSTEMS = ["linux", "macos"] as const;

const OTHER_SYSTEMS: Readonly<Record<string, (typeof SYSTEMS)[number]>> = {
  darwin: "macos",
  mac: "macos",
  "mac os": "macos",
  "mac os x": "macos",
  osx: "macos",
  "os x": "macos",
  wsl: "linux",
  "gnu/linux": "linux",
};

/** Processors, as Node names them. */
const PROCESSORS: readonly string[] =
  "arm arm64 ia32 loong64 mips mipsel ppc ppc64 riscv64 s390 s390x x64".split(" ");

/** As `uname -m`, package managers and container images name them. */
const OTHER_PROCESSORS: Readonly<Record<string, string>> = {
  amd64: "x64",
  x86_64: "x64",
  "x86-64": "x64",
  intel: "x64",
  aarch64: "arm64",
  arm64e: "arm64",
  armv8: "arm64",
  armv8l: "arm64",
  armhf: "arm",
  armv6l: "arm",
  armv7: "arm",
  armv7l: "arm",
  i386: "ia32",
  i586: "ia32",
  i686: "ia32",
  x86: "ia32",
  loongarch64: "loong64",
  ppc64le: "ppc64",
  ppc64el: "ppc64",
  riscv: "riscv64",
};

const quoted = (words: readonly string[]) => words.map((word) => `"${word}"`).join(", ");

/** What to write for an operating system in place of this. */
export function systemAdvice(written: unknown): string {
  const word = typeof written === "string" ? written.toLowerCase() : "";
  const meant = SYSTEMS.find((system) => system === word) ?? own(OTHER_SYSTEMS, word);
  return meant === undefined ? 'write "linux", "macos" or a list of them' : `write "${meant}"`;
}

/** The name that Node has for a processor. */
export const processorWord = (written: string): string =>
  own(OTHER_PROCESSORS, written.toLowerCase()) ?? written.toLowerCase();

export const isProcessor = (written: string): boolean => PROCESSORS.includes(written);

export function processorAdvice(written: string): string {
  const word = processorWord(written);
  return isProcessor(word) ? `write "${word}"` : `write one of ${quoted(PROCESSORS)}`;
}

/** Of a host name, as Linux allows it. */
const LONGEST_HOST = 64;
const HOST = /^[\p{Ll}\p{Lo}\p{M}\p{N}_-]+$/u;

/** A short host name as a configuration writes it: in lower case, without the domain. */
export const isHostWord = (written: string): boolean => written.length <= LONGEST_HOST && HOST.test(written);

/** The same of whatever a machine or a person calls it; empty where nothing of it can be in such a name. */
export function hostWord(name: string): string {
  const short = (name.trim().split(".")[0] ?? "").toLowerCase();
  return short
    .replace(/[^\p{Ll}\p{Lo}\p{M}\p{N}_-]+/gu, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, LONGEST_HOST);
}

export function hostAdvice(written: string): string {
  if (/[*?[\]]/.test(written)) return "write the whole name: patterns match nothing here; or a list of names";
  const word = hostWord(written);
  const rule = `the short name (as "hostname -s" prints it) in lower case`;
  if (word === "" || /\s/.test(written.trim())) return `write ${rule}, at most ${LONGEST_HOST} characters`;
  return `write "${word}", ${rule}`;
}
