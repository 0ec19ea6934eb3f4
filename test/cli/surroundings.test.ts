import { execFileSync } from "node:child_process";
import { chmodSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { LAUNCHER, newHome, ROOT } from "./cli.ts";
import { sharedOnTerminal, sharedProcess } from "./transcript.ts";

const linux = process.platform === "linux";
const manifest = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../dist/oclif.manifest.json"), "utf8"),
) as { commands: Record<string, unknown> };

/** They change the account's service manager, or run until they are ended. */
const NOT_HERE = ["agent:install", "agent:uninstall", "agent:run"];
const commands = Object.keys(manifest.commands)
  .filter((id) => !NOT_HERE.includes(id))
  .map((id) => id.replaceAll(":", " "));

/** What a shell prints: a line for each command, with its exit code at the end. */
const codes = (stdout: string) =>
  [...stdout.matchAll(/^code (\d+) (.*)$/gm)].map(([, code, words]) => ({ words, code: Number(code) }));

/** Exit codes that are meant; a crash of Node, or a signal, has others. */
const MEANT = [0, 1, 2, 3, 64];

/** What the launcher answers before anything else is loaded: bin/xy.js. */
const OWN_WAY = ["bridge", "connect"];

/** A shell has a minute for its line. */
const BATCH = 10;
const batches = commands.flatMap((_, i) => (i % BATCH === 0 ? [{ some: commands.slice(i, i + BATCH) }] : []));

it.each(batches)("without stdin, and in a locale that has nothing but ASCII: $some", async ({ some }) => {
  const home = newHome();
  home.write("servers.d/web.kdl", 'command "sleep"\nargs "600"\nport "none"\n');
  // The launcher goes another way for some, so these have a process of their own.
  const own = `alone() { '${process.execPath}' '${LAUNCHER}' "$@"; }`;
  const run = `case $c in ${OWN_WAY.join("|")}) alone $c <&- ;; *) xy $c ;; esac`;
  const loop = `for c in ${some.map((words) => `"${words}"`).join(" ")}; do ${run}; r=$?; echo; echo "code $r $c"; done`;
  const shared = sharedProcess(process.execPath, ROOT, "<&-");
  const { stdout } = await home.shell(`exec 2>&1\n${shared}\n${own}\n${loop}`, { env: { LC_ALL: "C" } });
  const found = codes(stdout);
  expect(found.map(({ words }) => words)).toEqual(some);
  expect(found.filter(({ code }) => !MEANT.includes(code))).toEqual([]);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all that is not ASCII
  expect(stdout.split("\n").filter((line) => /[^\x00-\x7f]/.test(line))).toEqual([]);
  expect(stdout).not.toContain("XY_DEBUG");
});

it("commands end as they are meant to with every stream closed", async () => {
  const home = newHome();
  home.declare("web");
  const some = ["plan", "plan web", "apply", "status", "list", "version", "logs", "down", "--help"];
  const loop = `for c in ${some.map((words) => `"${words}"`).join(" ")}; do (xy $c <&- >&- 2>&-); echo "code $? $c"; done`;
  const { stdout } = await home.shell(loop);
  expect(codes(stdout)).toEqual([0, 64, 1, 0, 0, 0, 64, 64, 0].map((code, i) => ({ words: some[i], code })));
});

// Root writes into any folder: there the commands are run as the account that owns nothing.
const NOBODY = 65534;
const isRoot = process.getuid?.() === 0;
const asOrdinary = isRoot ? `setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups` : "env";

it.skipIf(!linux)(
  "a home that cannot be written is read all the same, and what has to write says so",
  async () => {
    const home = newHome();
    home.declare("web");
    if (isRoot) {
      execFileSync("chown", ["-R", `${NOBODY}:${NOBODY}`, home.path]);
      chmodSync(dirname(home.path), 0o711);
    }
    chmodSync(home.project, 0o555);
    chmodSync(home.path, 0o555);
    onTestFinished(() => chmodSync(home.path, 0o755));
    const some = [
      "plan",
      "check",
      "list",
      "status",
      "history",
      "version",
      "apply --yes",
      "init",
      "agent start",
    ];
    const program = `${asOrdinary} '${process.execPath}' '${LAUNCHER}'`;
    const loop = `for c in ${some.map((words) => `"${words}"`).join(" ")}; do ${program} $c <&- 2>&1; r=$?; echo; echo "code $r $c"; done`;
    const { stdout } = await home.shell(loop);
    expect(codes(stdout)).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1].map((code, i) => ({ words: some[i], code })));
    expect(stdout.match(/permission denied \(EACCES\)/g)).toHaveLength(3);
    expect(stdout.match(/XDG_STATE_HOME, is a folder that you can write/g)).toHaveLength(3);
    // A home that is not in question is not blamed.
    const elsewhere = await home.shell(`export HOME=/nowhere; ${program} init 2>&1`);
    expect(elsewhere.stdout).toContain("see whose that file and its folder are, and what you may do there");
  },
);

it.skipIf(!linux)(
  "a terminal of one column, and one that says nothing of itself, are written on all the same",
  async () => {
    const home = newHome();
    home.declare("web");
    const line = "set -e; xy plan; xy list; xy status; xy tree; xy ports; xy history; xy version";
    for (const [columns, env] of [
      [1, {}],
      [40, { TERM: "" }],
    ] as const) {
      const { code, stdout } = await home.terminal(`${sharedOnTerminal(process.execPath, ROOT)}\n${line}`, {
        columns,
        env,
      }).ended;
      expect({ code, failed: /XY_DEBUG/.test(stdout) }).toEqual({ code: 0, failed: false });
    }
  },
);
