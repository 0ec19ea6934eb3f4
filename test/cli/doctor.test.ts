import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { npxFolder } from "../../src/doctor/checks/npx.ts";
import type { Diagnosis, Finding } from "../../src/model/finding.ts";
import { eventually } from "../rig/eventually.ts";
import { type Home, newHome, type Where } from "./cli.ts";

interface Report {
  readonly ok: boolean;
  readonly checks: readonly Diagnosis[];
}

/** Other tests may have servers without a state folder at any moment. */
const isOf = (home: Home) => (finding: Finding) =>
  finding.id !== "leftovers.keeper" || finding.what.includes(home.path);

/** What the doctor says. */
async function report(
  home: Home,
  where: Where = {},
): Promise<{ code: unknown; ok: boolean; findings: Finding[] }> {
  const { code, stdout, stderr } = await home.xyIn(where, "doctor", "--json");
  expect(stderr).toBe("");
  const { ok, checks } = JSON.parse(stdout) as Report;
  const findings = checks.flatMap((check) => check.findings).filter(isOf(home));
  return { code, ok, findings };
}

const idsIn = async (home: Home, where?: Where) => (await report(home, where)).findings.map(({ id }) => id);

/** The doctor finds just this, names a command, and is content when a person has run it. */
async function mends(home: Home, id: string, where: Where = {}): Promise<Finding> {
  const { findings } = await report(home, where);
  const found = findings.filter((finding) => finding.id === id);
  expect(
    findings.map((finding) => finding.id),
    `looking for ${id}`,
  ).toContain(id);
  for (const { mend } of found) {
    expect(mend).not.toBeNull();
    const line = String(mend).replace(/\bxy (apply|destroy)\b/, "$& --yes");
    // What a shell has to read is left to one.
    const [, words] = /^xy ([\w ./:-]+)$/.exec(line) ?? [];
    const typed = words === undefined ? home.shell(line, where) : home.xyIn(where, ...words.split(" "));
    const { code, stdout, stderr } = await typed;
    expect({ code, said: `${line}: ${stdout}${stderr}` }).toMatchObject({ code: 0 });
  }
  await eventually(async () => expect(await idsIn(home, where)).not.toContain(id));
  return found[0] as Finding;
}

const agentPid = async (home: Home) => ((await home.json("agent", "status")) as { pid: number }).pid;

describe("the doctor names a command, and that mends", () => {
  it("an agent that is suspended, has lost its loop or its program, or was stopped", async () => {
    const home = newHome();
    home.declare("web");
    await home.did("apply", "--yes");
    const server = (await home.servers()).web?.pid;
    expect(await report(home)).toEqual({ code: 0, ok: true, findings: [] });

    process.kill(await agentPid(home), "SIGSTOP");
    expect((await mends(home, "agent.stopped")).severity).toBe("error");

    const { loop } = JSON.parse(readFileSync(join(home.state, "agent.json"), "utf8"));
    process.kill(loop.pid, "SIGKILL");
    await mends(home, "agent.no-loop");

    // Its loop is starting it again: nobody has to do anything.
    process.kill(await agentPid(home), "SIGKILL");
    expect(await report(home)).toEqual({ code: 0, ok: true, findings: [] });

    const program = join(home.state, "agent.program");
    const [, ...rest] = readFileSync(program, "utf8").split("\n");
    writeFileSync(program, ["/nowhere/node", ...rest].join("\n"));
    await mends(home, "node.agent-gone");

    await home.did("agent", "stop", "--keep-servers");
    const away = await report(home);
    expect(away, JSON.stringify(away)).toMatchObject({ code: 0, ok: true });
    await mends(home, "agent.away");
    expect((await home.servers()).web?.pid).toBe(server);
    expect(await report(home)).toEqual({ code: 0, ok: true, findings: [] });
  });

  it("a server whose program is gone, and a client that does not reach its server", async () => {
    const home = newHome();
    const program = home.write("bin/tool", "#!/bin/sh\nexec sleep 600\n");
    const other = home.write("other/tool", "#!/bin/sh\nexec sleep 600\n");
    for (const path of [program, other]) chmodSync(path, 0o755);
    const path = [join(home.project, "bin"), join(home.project, "other")];
    const config = { path, clients: { cursor: {} } };
    home.write("xy.config.json", JSON.stringify(config));
    home.write(
      "servers.d/web.json",
      JSON.stringify({ command: "tool", port: 38911, mcp: true, readiness: "none" }),
    );
    mkdirSync(join(home.path, ".cursor"));
    await home.did("apply", "--yes", "--trust");
    expect(await report(home)).toEqual({ code: 0, ok: true, findings: [] });

    rmSync(program);
    expect((await mends(home, "programs.gone")).what).toContain(program);

    const file = join(home.path, ".cursor/mcp.json");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace("38911", "38912"));
    expect((await mends(home, "clients.address")).what).toContain("38912");
    writeFileSync(file, "{}");
    await mends(home, "clients.missing");
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(JSON.parse(text));
    writeFileSync(file, "{ not JSON");
    expect(await report(home)).toMatchObject({
      code: 1,
      ok: false,
      findings: [{ id: "clients.unreadable" }],
    });
    writeFileSync(file, text);
    expect(await report(home)).toEqual({ code: 0, ok: true, findings: [] });
  });

  it("what was damaged, what others can write to, and what nobody needs any more", async () => {
    const home = newHome();
    home.declare("web");
    await home.did("apply", "--yes");
    chmodSync(home.state, 0o777);
    expect(await report(home)).toMatchObject({ code: 1, ok: false });
    expect((await mends(home, "state.open")).mend).toBe(`chmod go-w ${home.state}`);

    const bindings = readdirSync(join(home.state, "trust"));
    writeFileSync(join(home.state, "trust", String(bindings[0])), "{ torn");
    await mends(home, "state.damaged");
    await mends(home, "state.set-aside");
    await home.did("apply", "--yes", "--trust");

    home.write("xyctl.d.ts", '// Written by "xy init" for editors and tsc. Of long ago.\n');
    expect((await mends(home, "editor.old")).mend).toBe(`xy init --refresh ${home.project}`);

    chmodSync(join(home.project, "servers.d"), 0o777);
    await mends(home, "consent.unsafe");

    renameSync(home.project, join(home.path, "elsewhere"));
    mkdirSync(home.project);
    await mends(home, "consent.gone");
    rmSync(home.project, { recursive: true });
    const where = { cwd: home.path };
    expect((await mends(home, "leftovers.root", where)).mend).toBe("xy destroy --project tools");
    expect(await report(home, where)).toEqual({ code: 0, ok: true, findings: [] });
    mkdirSync(home.project);
  });

  it("an install of npx that is torn, a unit without a record, and a server whose state folder is gone", async () => {
    const home = newHome();
    home.declare("web");
    home.write(
      "servers.d/tool.json",
      JSON.stringify({ command: "npx", args: ["-y", "some-tool"], port: "none", wanted: "stop" }),
    );
    await home.did("apply", "--yes");
    const installs = ["some-tool", "another"].map((name) => join(home.path, ".npm/_npx", npxFolder([name])));
    for (const install of installs) mkdirSync(join(install, "node_modules"), { recursive: true });
    const { findings } = await report(home);
    expect(findings.map(({ id, severity }) => [id, severity]).sort()).toEqual([
      ["npx.broken", "error"],
      ["npx.broken", "note"],
    ]);
    await mends(home, "npx.broken");
    expect(installs.filter((install) => existsSync(install))).toEqual([]);

    const units = join(home.path, ".config/systemd/user");
    await home.did("emit", "systemd", "--only", "web", "--out", units);
    expect((await mends(home, "leftovers.unit")).what).toContain("xy.tools.web.service");
    expect(readdirSync(units)).toEqual([]);

    await home.did("agent", "stop", "--keep-servers");
    rmSync(home.state, { recursive: true });
    expect((await mends(home, "leftovers.keeper")).mend).toMatch(/^kill -KILL -- -\d+$/);
    expect(await report(home)).toMatchObject({ code: 0, ok: true });
  });

  it("what is wrong with the surroundings", async () => {
    const home = newHome();
    const unit = "[Service]\nExecStart=/bin/sh\n[X-Xy]\nState=";
    const file = home.write(
      join(home.path, ".config/systemd/user/xy-agent.service"),
      `${unit}${home.state}\n`,
    );
    const long = join(home.path, "long".repeat(30));
    const env = {
      XDG_CACHE_HOME: "relative",
      XDG_RUNTIME_DIR: join(home.path, "nowhere"),
      XDG_STATE_HOME: long,
    };
    const { findings } = await report(home, { env });
    expect(findings.map(({ id }) => id).sort()).toEqual([
      "login.other",
      "state.long-socket",
      "state.no-runtime",
      "state.relative",
    ]);
    // As on a machine without systemd: the unit is this agent's, and nothing can start it.
    const without = { env: { PATH: join(home.path, "bin") } };
    expect(await report(home, without)).toMatchObject({ code: 1, ok: false });
    expect(await idsIn(home, without)).toEqual(expect.arrayContaining(["login.stale", "login.unreachable"]));
    rmSync(file);
    expect(await report(home, without)).toEqual({ code: 0, ok: true, findings: [] });
  });
});

describe("the doctor only looks", () => {
  it("where there is nothing, it leaves nothing", async () => {
    const home = newHome();
    const where = { env: { NODE_COMPILE_CACHE: undefined, XDG_CACHE_HOME: join(home.path, "cache") } };
    // Other tests may leave servers without a state folder behind for a moment.
    await eventually(async () =>
      expect(await home.xyIn(where, "doctor")).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/Nothing is wrong\.\n$/),
      }),
    );
    expect(readdirSync(home.path, { recursive: true })).toEqual(["tools"]);
  });
});
