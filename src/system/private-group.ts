import { execFileSync } from "node:child_process";
import { thisAccount } from "./account.ts";
import { readText } from "./files.ts";
import { ASKING } from "./process-rows.ts";

/**
 * Whether a group is the account's own, with nobody else in it. Distributions create one for each account, with a umask of
 * 002: then only the account gets the group's permissions. Checked only if a group may write.
 */
export function isPrivateGroup(gid: number): boolean {
  const { username } = thisAccount();
  const groups = groupsWith(gid);
  const isOwn = groups.some(([name]) => name === username);
  const members = groups.flatMap(([, , , all = ""]) => all.split(",").filter((name) => name !== ""));
  const sharers = fieldsOf(textOf("/etc/passwd")).filter(([, , , primary]) => primary === String(gid));
  return isOwn && [...members, ...sharers.map(([name]) => name)].every((name) => name === username);
}

/** From the file, or from wherever this machine keeps its groups. */
function groupsWith(gid: number): string[][] {
  const local = fieldsOf(textOf("/etc/group")).filter(([, , id]) => id === String(gid));
  if (local.length > 0 || process.platform !== "linux") return local;
  try {
    return fieldsOf(execFileSync("getent", ["group", String(gid)], { ...ASKING, stdio: "pipe" }));
  } catch {
    // It knows no such group, or does not exist.
    return [];
  }
}

const fieldsOf = (text: string) => text.split("\n").map((line) => line.split(":"));

function textOf(path: string): string {
  try {
    return readText(path) ?? "";
  } catch {
    return "";
  }
}
