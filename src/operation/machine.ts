import { existsSync, statSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import { type Machine, NO_HOME } from "../model/machine.ts";
import { processorWord } from "../model/machine-words.ts";
import { thisAccount } from "../system/account.ts";
import { type Environment, homeOf } from "../system/paths.ts";
import { temporaryFolder } from "../system/temporary-folder.ts";
import { hostNameOf } from "./host-name.ts";

const OS = { linux: "linux", darwin: "macos" } as const;
/** The locale that services get. */
const LANGS = { linux: "C.UTF-8", macos: "en_US.UTF-8", other: "C.UTF-8" } as const;

/**
 * The machine and the account, read so that any shell, login or cron job on it gives the same: only HOME is taken
 * from the environment, because that is how an account is moved.
 */
export function readMachine(env: Environment): Machine {
  const account = thisAccount();
  const runtimeDir = `/run/user/${account.uid}`;
  const os = OS[process.platform as keyof typeof OS] ?? "other";
  return {
    os,
    arch: process.arch,
    host: hostNameOf(env).name,
    user: account.username,
    uid: account.uid,
    home: homeOf(env),
    ...(env.HOME === NO_HOME && account.homedir === undefined ? { isHomeless: true as const } : {}),
    shell: account.shell ?? "/bin/sh",
    lang: LANGS[os],
    tmpdir: temporaryFolder(),
    ...(existsSync(runtimeDir) && statSync(runtimeDir).isDirectory() ? { runtimeDir } : {}),
  };
}

/** What is to be said of another machine, in `os=macos,home=/Users/ada,user=ada,host=mbp`. */
const NEEDED = ["os", "home", "user", "host"] as const;
const KEYS: readonly string[] = [...NEEDED, "arch"];
/** The processor that most of them have, as Node names it. */
const USUAL_ARCH = { linux: "x64", macos: "arm64" } as const;

/** The machine that a text describes. Throws an `Error` that says what is wrong with it, and what to write. */
export function machineFor(text: string): Machine {
  const said = new Map<string, string>();
  for (const part of text.split(",").map((one) => one.trim())) {
    const [key = "", ...rest] = part.split("=");
    const value = rest.join("=");
    if (!KEYS.includes(key) || value === "")
      throw new Error(`cannot use ${JSON.stringify(part)}: write ${KEYS.join("=…, ")}=…`);
    if (said.has(key)) throw new Error(`cannot use ${key} twice`);
    said.set(key, value);
  }
  const missing = NEEDED.filter((key) => !said.has(key));
  if (missing.length > 0)
    throw new Error(
      `cannot tell the ${missing.join(", ")} of that machine: add ${missing.map((key) => `${key}=…`).join(",")}`,
    );
  const [os, home, user, host] = NEEDED.map((key) => said.get(key) ?? "") as [string, string, string, string];
  if (os !== "linux" && os !== "macos") throw new Error(`cannot use os=${os}: it is linux or macos`);
  if (!isAbsolute(home)) throw new Error(`cannot use home=${home}: write its whole path, such as /Users/ada`);
  const arch = said.get("arch") ?? USUAL_ARCH[os];
  return {
    os,
    arch: processorWord(arch),
    host: host.split(".")[0] ?? "",
    user,
    // Of nobody here: files are looked at as those of this account.
    uid: thisAccount().uid,
    home: resolve(home),
    lang: LANGS[os],
    ...(os === "linux" ? { tmpdir: "/tmp" } : {}),
  };
}
