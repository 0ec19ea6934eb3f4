import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { hostname, tmpdir, userInfo } from "node:os";
import type { Machine } from "../model/machine.ts";
import { type Environment, homeOf } from "../system/paths.ts";
import { ASKING } from "../system/processes.ts";

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

/**
 * Whether a group is the account's own and nobody else is in it, as distributions make one for each account together
 * with a umask of 002: then what the group may do, others may not. Asked only where a group may write.
 */
export function isPrivateGroup(gid: number): boolean {
  const { username } = userInfo();
  const groups = groupsWith(gid);
  const isOwn = groups.some(([name]) => name === username);
  const members = groups.flatMap(([, , , all = ""]) => all.split(",").filter((name) => name !== ""));
  const sharers = fieldsOf(textOf("/etc/passwd")).filter(([, , , primary]) => primary === String(gid));
  return isOwn && [...members, ...sharers.map(([name]) => name)].every((name) => name === username);
}

/** From the file, or from wherever else this machine keeps its groups. */
function groupsWith(gid: number): string[][] {
  const local = fieldsOf(textOf("/etc/group")).filter(([, , id]) => id === String(gid));
  if (local.length > 0 || process.platform !== "linux") return local;
  try {
    return fieldsOf(execFileSync("getent", ["group", String(gid)], { ...ASKING, stdio: "pipe" }));
  } catch {
    // It knows none, or is not there.
    return [];
  }
}

const fieldsOf = (text: string) => text.split("\n").map((line) => line.split(":"));

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
