import { isAbsolute, resolve } from "node:path";
import type { Machine } from "../model/machine.ts";
import { processorWord } from "../model/machine-words.ts";
import { thisAccount } from "../system/account.ts";
import { accountHere, LANGS } from "../system/account-here.ts";
import type { Environment } from "../system/paths.ts";
import { hostNameOf } from "./host-name.ts";

/** The machine and the account, as {@link accountHere} reads them, and what the machine is called. */
export function readMachine(env: Environment): Machine {
  return { ...accountHere(env), host: hostNameOf(env).name };
}

/** What is to be said of another machine, in `os=macos,home=/Users/ada,user=ada,host=mbp`. */
const REQUIRED_KEYS = ["os", "home", "user", "host"] as const;
const KEYS: readonly string[] = [...REQUIRED_KEYS, "arch"];
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
  const missing = REQUIRED_KEYS.filter((key) => !said.has(key));
  if (missing.length > 0)
    throw new Error(
      `cannot tell the ${missing.join(", ")} of that machine: add ${missing.map((key) => `${key}=…`).join(",")}`,
    );
  const [os, home, user, host] = REQUIRED_KEYS.map((key) => said.get(key) ?? "") as [
    string,
    string,
    string,
    string,
  ];
  if (os !== "linux" && os !== "macos") throw new Error(`cannot use os=${os}: it is linux or macos`);
  if (!isAbsolute(home)) throw new Error(`cannot use home=${home}: write its whole path, such as /Users/ada`);
  const arch = said.get("arch") ?? USUAL_ARCH[os];
  return {
    os,
    arch: processorWord(arch),
    host: host.split(".")[0] ?? "",
    user,
    // It is no account of this machine: files are checked as if they belonged to this one.
    uid: thisAccount().uid,
    home: resolve(home),
    lang: LANGS[os],
    ...(os === "linux" ? { tmpdir: "/tmp" } : {}),
  };
}
