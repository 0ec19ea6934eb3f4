import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { eventually } from "../rig/eventually.ts";
import { killNow, programsWith } from "../rig/processes.ts";
import { whyNoSystemd } from "../rig/systemd.ts";

const ROOT = join(import.meta.dirname, "../..");
/** Beside a journal that begins when it is told to, and then has two lines. */
const SCRIPT = `set -eu
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/journal
${process.execPath} ${ROOT}/node_modules/jiti/lib/jiti-cli.mjs ${ROOT}/test/rig/journal-follower.ts "$1" &
read -r _
/lib/systemd/systemd-journald >/dev/null 2>&1 &
until [ -e /run/systemd/journal/stdout ]; do sleep 0.05; done
printf 'one\\ntwo\\n' | systemd-cat -t "$1"
read -r _
printf 'three\\n' | systemd-cat -t "$1"
wait
`;

const filesOf = (pid: number) =>
  readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));

it.skipIf(whyNoSystemd() !== undefined)(
  "a journal is followed that begins after that did, as at a boot",
  async () => {
    const identifier = `xy-test-${randomUUID()}`;
    const argv = [
      "--mount",
      "--pid",
      "--fork",
      "--kill-child",
      "--mount-proc",
      "bash",
      "-c",
      SCRIPT,
      "bash",
      identifier,
    ];
    const child = spawn("unshare", argv, { stdio: ["pipe", "pipe", "inherit"] });
    onTestFinished(() => {
      for (const { pid } of programsWith(identifier)) killNow(pid);
    });
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    await eventually(() => {
      const followers = programsWith(`SYSLOG_IDENTIFIER=${identifier}`);
      expect(followers.flatMap(({ pid }) => filesOf(pid))).toContain("anon_inode:inotify");
    });
    child.stdin.write("\n");
    await eventually(() => expect(said).toBe("one\ntwo\n"));
    child.stdin.write("\n");
    await eventually(() => expect(said).toBe("one\ntwo\nthree\n"));
  },
);
