import { existsSync, statSync } from "node:fs";
import { hostname, tmpdir, userInfo } from "node:os";
import type { Machine } from "../model/machine.ts";
import { type Environment, homeOf } from "../system/paths.ts";

const OS = { linux: "linux", darwin: "macos" } as const;

/**
 * The machine and the account, read so that any shell, login or cron job on it gives the same: only HOME is taken
 * from the environment, because that is how an account is moved.
 */
export function readMachine(env: Environment): Machine {
  const account = userInfo();
  const runtimeDir = `/run/user/${account.uid}`;
  return {
    os: OS[process.platform as keyof typeof OS] ?? "other",
    arch: process.arch,
    host: hostname().split(".")[0] ?? "",
    user: account.username,
    uid: account.uid,
    home: homeOf(env),
    shell: account.shell ?? "/bin/sh",
    lang: process.platform === "darwin" ? "en_US.UTF-8" : "C.UTF-8",
    tmpdir: process.platform === "darwin" ? tmpdir() : "/tmp",
    ...(existsSync(runtimeDir) && statSync(runtimeDir).isDirectory() ? { runtimeDir } : {}),
  };
}
