import { existsSync, statSync } from "node:fs";
import { type Machine, NO_HOME } from "../model/machine.ts";
import { thisAccount } from "./account.ts";
import { type Environment, homeOf } from "./paths.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const OS = { linux: "linux", darwin: "macos" } as const;
export const osHere = (): Machine["os"] => OS[process.platform as keyof typeof OS] ?? "other";
/** The locale that services get. */
export const LANGS = { linux: "C.UTF-8", macos: "en_US.UTF-8", other: "C.UTF-8" } as const;

/**
 * The account and its machine, read so that any shell, login or cron job gives the same result: only HOME is taken from the
 * environment, because that is how an account's home is moved.
 */
export function accountHere(env: Environment): Omit<Machine, "host"> {
  const account = thisAccount();
  const runtimeDir = `/run/user/${account.uid}`;
  const os = osHere();
  return {
    os,
    arch: process.arch,
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
