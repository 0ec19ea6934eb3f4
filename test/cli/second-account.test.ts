import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, test } from "vitest";
import { accountWith } from "./account.ts";
import { type Home, newHome, type Outcome } from "./cli.ts";

/** No account of a machine that tests run on. */
const OTHER = 42_422;

/** Why nothing can be done here as somebody else; undefined when it can. Under CI it has to be. */
function whyAlone(): string | undefined {
  if (process.getuid?.() === 0) return undefined;
  const why = "it takes root to be another account too";
  if (process.env.CI) throw new Error(`cannot test with a second account: ${why}`);
  console.warn(`SKIPPED, no test with a second account: ${why}`);
  return why;
}

/** A folder to which every account can add, as /tmp. */
function sharedFolder(mode = 0o1777): string {
  // Not where the tests have their own folders: those are closed to other accounts.
  const path = realpathSync(mkdtempSync("/tmp/xy-shared-"));
  chmodSync(path, mode);
  onTestFinished(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }));
  return path;
}

/** Runs a line of sh as the other account. */
function asOther(line: string): { code: number | null; said: string } {
  const done = spawnSync("/bin/sh", ["-c", line], { uid: OTHER, gid: OTHER, cwd: "/", encoding: "utf8" });
  return { code: done.status, said: `${done.stdout}${done.stderr}` };
}

function didAsOther(line: string): void {
  expect(asOther(line), line).toMatchObject({ code: 0 });
}

/** A socket of the other account, and what has come to it. */
async function plantedSocket(path: string): Promise<string[]> {
  const came: string[] = [];
  const server = createServer((socket) => {
    came.push("a connection");
    socket.on("data", (data) => came.push(data.toString()));
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  chmodSync(path, 0o777);
  chownSync(path, OTHER, OTHER);
  return came;
}

/** What a person types, of each kind: those that look, that change, and that are about the agent. */
const COMMANDS = [
  "list",
  "plan",
  "apply --yes",
  "agent start",
  "agent status",
  "agent run",
  "jobs",
  "why web",
];

async function all(home: Home, env: Record<string, string>, commands = COMMANDS): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const words of commands) outcomes.push(await home.xyIn({ env }, ...words.split(" ")));
  return outcomes;
}

/** A home with a server that has a secret, and the file in which a planted program would leave word. */
function victim(): { home: Home; ran: string; program: string } {
  const home = newHome();
  home.write("token", "not-for-others\n");
  home.declare("web", 'env { TOKEN (file)"../token"; }');
  const shared = sharedFolder();
  const ran = join(shared, "ran");
  const program = join(shared, "program");
  didAsOther(`printf '#!/bin/sh\\necho ran as $(id -u) >>${ran}\\n' >${program}; chmod 755 ${program}`);
  return { home, ran, program };
}

describe.skipIf(whyAlone() !== undefined)("another account", () => {
  it("that made the state folder first has nothing run, and gets nothing", async () => {
    const { home, ran, program } = victim();
    const shared = sharedFolder();
    const state = join(shared, "xy");
    didAsOther(
      `mkdir -m 777 ${state} && cd ${state} && cp ${program} agent.sh && printf '${program}\\n${program}\\n' >agent.program &&` +
        `printf '{"version":1,"pid":1,"socket":"${state}/xy.sock"}' >agent.json && mkdir agent.programs projects`,
    );
    const came = await plantedSocket(join(state, "xy.sock"));
    const before = readdirSync(state, { recursive: true });
    for (const { code, stderr } of await all(home, { XDG_STATE_HOME: shared })) {
      expect(stderr).toContain(
        `cannot use ${state} as the state folder: it belongs to another account (uid ${OTHER})`,
      );
      expect(stderr).toContain("set XDG_STATE_HOME to a folder of");
      expect(code).toBe(1);
    }
    expect(came).toEqual([]);
    expect(existsSync(ran)).toBe(false);
    expect(readdirSync(state, { recursive: true })).toEqual(before);
  });

  test.each<[string, (shared: string) => string]>([
    [
      "made the folder above it",
      (shared) => {
        didAsOther(`mkdir -m 777 ${shared}/theirs`);
        return join(shared, "theirs");
      },
    ],
    [
      "has put a link in its place",
      (shared) => {
        const own = join(shared, "own");
        mkdirSync(own, { mode: 0o700 });
        symlinkSync(own, join(shared, "xy"));
        lchownSync(join(shared, "xy"), OTHER, OTHER);
        return shared;
      },
    ],
    [
      "can write to the folder above it",
      (shared) => {
        mkdirSync(join(shared, "open/xy"), { recursive: true, mode: 0o700 });
        chmodSync(join(shared, "open"), 0o777);
        return join(shared, "open");
      },
    ],
  ])("that %s is noticed", async (_, plant) => {
    const { home } = victim();
    const shared = sharedFolder();
    const base = plant(shared);
    for (const { code, stderr } of await all(home, { XDG_STATE_HOME: base }, ["list", "apply --yes"])) {
      expect(stderr).toMatch(/^xy: cannot use \/\S+\/xy as the state folder: /);
      expect(code).toBe(1);
    }
    expect(existsSync(join(base, "xy/agent.json"))).toBe(false);
  });

  test.each([
    "agent.sh",
    "agent.program",
    "agent.next",
    "agent.previous",
    "agent.failed",
    "agent.programs",
    "agent.json",
    "agent.lock",
    "key",
    "projects",
  ])("that owns %s in the state folder has nothing run", async (name) => {
    const { home, ran, program } = victim();
    mkdirSync(home.state, { recursive: true, mode: 0o700 });
    const path = join(home.state, name);
    const text: Record<string, string> = { "agent.sh": readFileSync(program, "utf8"), "agent.json": "{}" };
    if (["agent.programs", "agent.lock", "projects"].includes(name)) mkdirSync(path);
    else writeFileSync(path, text[name] ?? `${program}\n${program}\n`);
    chownSync(path, OTHER, OTHER);
    const { code, stderr } = await home.xy("agent", "start");
    expect(stderr).toContain(
      `cannot use ${path} as a part of the state folder: it belongs to another account`,
    );
    expect(code).toBe(2);
    // Whatever starts the agent: systemd and launchd know nothing of this command.
    const { code: itself, stderr: said } = await home.xy("agent", "run");
    expect(said).toContain(`cannot use ${path}`);
    expect(itself).toBe(1);
    expect(existsSync(ran)).toBe(false);
    rmSync(path, { recursive: true });
  });

  it("that has the runtime folder gets no socket there, and no secret through one of its own", async () => {
    const { home } = victim();
    const runtime = join(sharedFolder(), "run");
    didAsOther(`mkdir -m 777 ${runtime}`);
    const came = await plantedSocket(join(runtime, "xy.sock"));
    const env = { XDG_RUNTIME_DIR: runtime };
    for (const { code, stderr } of await all(home, env, ["agent start", "apply --yes"])) {
      expect(stderr).toContain(
        `cannot use ${runtime} as the folder of the socket: it belongs to another account`,
      );
      expect(stderr).toContain("unset XDG_RUNTIME_DIR");
      expect(code).toBe(2);
    }
    expect(existsSync(join(home.state, "agent.json"))).toBe(false);
    // After a first run, whose record names a socket that has become theirs.
    await home.did("apply", "--yes");
    await home.did("agent", "stop");
    writeFileSync(join(home.state, "agent.json"), JSON.stringify({ socket: join(runtime, "xy.sock") }));
    for (const { code, stdout, stderr } of await all(home, {}, ["list", "apply --yes", "agent status"])) {
      expect(stdout + stderr).toContain(`as the agent's socket: ${runtime} belongs to another account`);
      expect(code).toBe(2);
    }
    expect(came).toEqual([]);
    rmSync(join(home.state, "agent.json"));
  });

  it("that has the cache has none of it used, and the rest goes on", async () => {
    const { home } = victim();
    const shared = sharedFolder();
    didAsOther(`mkdir -m 777 ${shared}/xy ${shared}/xy/translated ${shared}/xy/compiled`);
    home.write("xy.config.ts", 'import { defineConfig } from "xyctl";\nexport default defineConfig({});\n');
    const [outcome] = await all(home, { XDG_CACHE_HOME: shared }, ["apply --yes --trust"]);
    expect(outcome).toMatchObject({ code: 0, stdout: expect.stringContaining("1 added") });
    expect(readdirSync(join(shared, "xy"), { recursive: true }).sort()).toEqual(["compiled", "translated"]);
  });

  it("can neither read nor replace nor reach anything, also where all can add files", async () => {
    const { home } = victim();
    const shared = sharedFolder();
    mkdirSync(join(shared, "run"), { mode: 0o700 });
    const env = { XDG_STATE_HOME: shared, XDG_CACHE_HOME: shared, XDG_RUNTIME_DIR: join(shared, "run") };
    const xy = (words: string) => home.xyIn({ env }, ...words.split(" "));
    expect(await xy("apply --yes")).toMatchObject({ code: 0 });
    const { socket } = JSON.parse((await xy("agent status --json")).stdout) as { socket: string };
    const state = join(shared, "xy");
    const spec = join(state, "projects/tools/servers/web/spec.json");
    expect(existsSync(spec)).toBe(true);
    const connect = `python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect("${socket}")'`;
    for (const line of [
      `ls ${state}`,
      `cat ${spec}`,
      `echo >>${state}/agent.sh`,
      `mv ${state} ${shared}/away`,
      `mv ${shared}/run ${shared}/away`,
      `rm -f ${socket} && test ! -e ${socket} && exit 0; exit 1`,
      `touch ${state}/agent.next`,
      connect.replace("python3", "/usr/bin/python3"),
    ])
      expect(asOther(line).code, line).not.toBe(0);
    expect((await xy("plan")).stdout).toContain("No changes");
    expect(await xy("agent stop")).toMatchObject({ code: 0 });
  });

  it("is not run as root by `sudo` that keeps its home", async () => {
    const { home, ran, program } = victim();
    const theirs = join(sharedFolder(), "ann");
    didAsOther(
      `mkdir -p ${theirs}/.local/state/xy && cd ${theirs}/.local/state/xy && cp ${program} agent.sh && printf '${program}\\n${program}\\n' >agent.program`,
    );
    for (const { code, stderr } of await all(home, { HOME: theirs })) {
      expect(stderr).toContain(
        `${theirs} belongs to another account (uid ${OTHER}); run xy without sudo, or with \`sudo -H\``,
      );
      expect(code).toBe(1);
    }
    expect(existsSync(ran)).toBe(false);
  });
});

it("a folder that others can read only is used, and closed", async () => {
  const home = newHome();
  home.declare("web");
  mkdirSync(home.state, { recursive: true, mode: 0o755 });
  await home.did("apply", "--yes");
  expect(await home.servers()).toMatchObject({ web: { state: "running" } });
});

it("relative folders in the environment count for nothing, wherever one stands", async () => {
  const home = newHome();
  home.declare("web");
  home.write("xy.config.ts", 'import { defineConfig } from "xyctl";\nexport default defineConfig({});\n');
  const env = {
    XDG_STATE_HOME: ".state",
    XDG_CACHE_HOME: "./cache",
    XDG_CONFIG_HOME: "config",
    XDG_RUNTIME_DIR: "../tools/run",
    NODE_COMPILE_CACHE: undefined,
  };
  for (const name of [".state", "cache", "config", "run"])
    mkdirSync(join(home.project, name), { mode: 0o700 });
  const folders = () => readdirSync(home.project, { recursive: true, encoding: "utf8" }).sort();
  const before = folders();
  expect(await home.xyIn({ env }, "apply", "--yes", "--trust")).toMatchObject({ code: 0 });
  const { stdout } = await home.xyIn({ env }, "agent", "status", "--json");
  expect(JSON.parse(stdout)).toMatchObject({ state_dir: home.state, socket: join(home.state, "xy.sock") });
  expect(folders()).toEqual(before);
});

it.skipIf(whyAlone() !== undefined)(
  "an account that passwd does not know goes by its number and HOME",
  async () => {
    const { cwd, env, node, launcher, shell } = accountWith("022", newHome(), { isListed: false });
    const server = "command: sh\\nargs: [-c, exec sleep 600]\\nport: none\\nenv: { WHO: '{env.USER}' }\\n";
    const lines = [
      "! id -un 2>/dev/null",
      `xy() { ${node} ${launcher} "$@"; }`,
      `mkdir -p tools/servers.d && cd tools && printf "${server}" >servers.d/web.yaml`,
      "xy apply --yes && xy list && xy plan && xy check && xy emit systemd && xy agent status && xy agent stop",
      "unset HOME",
      "xy --version && xy --help >/dev/null && xy help apply >/dev/null",
      "xy list && exit 1; exit 0",
    ];
    const [program, ...argv] = shell;
    const done = spawnSync(program, [...argv, lines.join("\n")], { cwd, env, encoding: "utf8" });
    expect(done.stdout).toMatch(/web +running/);
    expect(done.stdout).toContain("No changes.");
    expect(done.stdout).toMatch(/^xyctl\/\d/m);
    expect(done.stderr).toContain(
      "xy: cannot tell where the home folder is: HOME is not set, and passwd has no entry for this account (uid 42421); set HOME",
    );
    expect(done.status).toBe(0);
  },
);

it.skipIf(whyAlone() !== undefined)(
  "what root has left in the state folder is told, with the way to give it back",
  () => {
    const { cwd, env, node, launcher, shell } = accountWith("022", newHome());
    const [program, ...argv] = shell;
    const asRoot = argv.map((word) =>
      word.replace(
        "cd /mnt/home",
        "mkdir -p /mnt/home/.local/state/xy; chown 42421 /mnt/home/.local /mnt/home/.local/state; cd /mnt/home",
      ),
    );
    const done = spawnSync(program, [...asRoot, `${node} ${launcher} list`], { cwd, env, encoding: "utf8" });
    expect(done.stderr).toBe(
      "xy: cannot use /mnt/home/.local/state/xy as the state folder: it belongs to root, as after `sudo xy`; run: sudo chown -Rh 42421 /mnt/home/.local/state/xy, or set XDG_STATE_HOME to a folder of your own\n",
    );
    expect(done.status).toBe(1);
  },
);

/** Why an ordinary account cannot be root of a namespace here: some machines forbid that to all but root. */
function whyNoNamespace(): string | undefined {
  const [program, ...argv] = ["setpriv", `--reuid=${OTHER}`, `--regid=${OTHER}`, "--clear-groups"];
  const done = spawnSync(program as string, [...argv, "unshare", "--user", "--map-root-user", "true"]);
  const why = done.status === 0 ? undefined : "an ordinary account cannot make a namespace of users";
  if (why !== undefined) console.warn(`SKIPPED, no test with a root that cannot be seen: ${why}`);
  return why;
}

it.skipIf(whyAlone() !== undefined || whyNoNamespace() !== undefined)(
  "a namespace of users, in which root's folders belong to nobody, is no obstacle",
  async () => {
    const home = newHome();
    const { cwd, env, node, launcher, shell } = accountWith("022", home);
    const server = "command: sh\\nargs: [-c, exec sleep 600]\\nport: none\\n";
    const lines = [
      'test "$(stat -c %u /)" = 65534',
      `xy() { ${node} ${launcher} "$@"; }`,
      `mkdir -p tools/servers.d && cd tools && printf '${server}' >servers.d/web.yaml`,
      "xy apply --yes && xy list && xy agent stop",
    ];
    const inner = `exec unshare --user --map-root-user bash -ec '${lines.join("\n").replaceAll("'", "'\\''")}'`;
    const [program, ...argv] = shell;
    const done = spawnSync(program, [...argv, inner], { cwd, env, encoding: "utf8" });
    expect(done.stderr).not.toContain("cannot");
    expect(done.stdout).toMatch(/web +running/);
    expect(done.status).toBe(0);
  },
);
