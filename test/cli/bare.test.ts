import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { accountWith } from "./account.ts";
import { newHome } from "./cli.ts";

/** Why no account can be made up here; undefined when it can. Under CI it has to be. */
function whyNot(): string | undefined {
  if (process.getuid?.() === 0) return undefined;
  const why = "it takes root to be an account that is in no list";
  if (process.env.CI) throw new Error(`cannot test in a bare container: ${why}`);
  console.warn(`SKIPPED, no test in a bare container: ${why}`);
  return why;
}

const DATA = `project: bare
servers:
  web:
    command: sleep
    args: ["100"]
    port: 8421
    working-dir: "~"
    env-file: ./web.env
    env: { TOKEN: { secret: { file: ./token } }, CACHE: "/mnt/shared" }
`;
const PROGRAM = `import { defineConfig } from "xyctl";
export default defineConfig({
  project: "bare",
  servers: { web: { command: "sleep", args: ["100"], port: 8421, envFile: "./web.env", env: { A: process.env.A ?? "" } } },
});
`;

/** As in CI: only the folder of the repository is there, and nothing in it is the account's. */
function container(home: ReturnType<typeof newHome>) {
  const account = accountWith("022", home, { isListed: false });
  const { node, launcher } = account;
  return {
    /** A script in which `xy` has no variable but PATH, and those before it. */
    run: (script: string) => {
      const xy = `xy() { env -i PATH=/usr/bin:/bin $HERE ${node} ${launcher} "$@"; }`;
      const [program, ...words] = account.shell;
      const { cwd, env } = account;
      return spawnSync(program, [...words, `${xy}\n${script}`], { cwd, env, encoding: "utf8" });
    },
  };
}

const write = (file: string, text: string) => `cat >${file} <<'END'\n${text}END`;
/** A repository in which secrets are, and cannot be opened. */
const REPOSITORY = [
  "mkdir -p /mnt/home/data /mnt/home/program",
  write("/mnt/home/data/xy.config.yaml", DATA),
  write("/mnt/home/program/xy.config.ts", PROGRAM),
  ...["data/web.env", "data/token", "program/web.env"].map(
    (file) => `echo A=s3cr3t >/mnt/home/${file}; chmod 000 /mnt/home/${file}`,
  ),
  "chmod 555 /mnt/home/data /mnt/home/program /mnt/home",
].join("\n");
/** All that the account has written, where it could. */
const OWNED = "find /mnt/home /mnt/tmp /tmp /var/tmp /run /nonexistent -user $(id -u) 2>/dev/null | sort";

const COMMANDS = [
  "--version",
  "--help",
  "check --config data",
  "emit systemd --config data",
  "plan --no-secrets --config data",
  "check --config program --trust",
  "emit systemd --config program --trust",
  "plan --no-secrets --config program --trust",
];

describe.skipIf(whyNot() !== undefined)("an account that nobody has written down", () => {
  it.each([
    ["without a home folder", ""],
    ["with one that it cannot write", "HOME=/mnt/home"],
  ])("checks, emits and plans, and leaves nothing behind: %s", (_, here) => {
    const home = newHome();
    const script = COMMANDS.map((words) => `echo "== ${words}"; xy ${words} || echo "FAILED $?"`).join("\n");
    const { stdout, stderr, status } = container(home).run(
      `set -e\nHERE="${here}"\n${REPOSITORY}\ncd /mnt/home\nbefore=$(${OWNED})\n${script}\necho "== left"\nafter=$(${OWNED})\ntest "$before" = "$after" || echo "$after"`,
    );
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stdout, stderr).not.toContain("FAILED");
    const parts = new Map(
      stdout
        .split(/^== /m)
        .slice(1)
        .map((part) => [part.split("\n")[0], part.split("\n").slice(1).join("\n")]),
    );
    expect(parts.get("check --config data")).toContain("The configuration is valid: project bare, 1 server.");
    expect(parts.get("check --config program --trust")).toContain("project bare, 1 server.");
    expect(parts.get("plan --no-secrets --config data")).toContain("+ web will be added and started");
    expect(parts.get("emit systemd --config data")).toContain("WorkingDirectory=%h\n");
    expect(parts.get("emit systemd --config data")).not.toMatch(/nonexistent|mnt\/home(?!\/data)/);
    expect(stderr).not.toContain("cannot read the env file");
    expect(parts.get("left")).toBe("");
  });

  it("is told the way out by what needs a home folder", () => {
    const home = newHome();
    const { stdout } = container(home).run(
      [
        `HERE=""\n${REPOSITORY}\ncd /mnt/home`,
        write("/mnt/tmp/web.yaml", DATA.split("    env-file")[0] as string),
        'xy apply --yes --config data 2>&1 || echo "ended with $?"',
        'xy emit launchd --config /mnt/tmp/web.yaml 2>&1 || echo "ended with $?"',
        "xy emit launchd --for os=macos,home=/Users/ada,user=ada,host=mbp --config /mnt/tmp/web.yaml 2>&1",
      ].join("\n"),
    );
    expect(stdout).toMatch(/cannot tell where the home folder is: .*uid \d+\); set HOME\n.*\n?ended with 1/);
    expect(stdout).toMatch(
      /cannot write this unit: .* set HOME, or name the machine with --for\n.*\nended with 1/,
    );
    expect(stdout).toContain("<string>/Users/ada</string>");
  });
});
