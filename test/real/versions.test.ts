import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect } from "vitest";
import type { Home } from "../rig/home.ts";
import { type Ended, Runner } from "../rig/runner.ts";
import { SupervisordHome, whyNoSupervisord } from "../rig/supervisord.ts";
import { test as plain } from "../rig/test.ts";
import { oneFieldFewer, oneFieldMore, releasedVersion, versionWith } from "../rig/versions.ts";

type Version = "released" | "current" | "more" | "fewer";

/** `released`: before records could grow. `more` and `fewer`: today's, with a setting more and one fewer. */
const versions = new Map<Version, Runner>([["current", new Runner()]]);

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), "versions-"));
  versions.set("released", new Runner({ root: releasedVersion(join(folder, "released")) }));
  const [more, fewer] = await Promise.all([
    versionWith(join(folder, "more"), "0.98.0", oneFieldMore),
    versionWith(join(folder, "fewer"), "0.97.0", oneFieldFewer),
  ]);
  versions.set("more", new Runner({ root: more }));
  versions.set("fewer", new Runner({ root: fewer }));
});

class World {
  readonly #home: Home;
  readonly folder: string;

  constructor(home: Home) {
    this.#home = home;
    this.folder = join(home.root, "tools");
    mkdirSync(join(this.folder, "servers.d"), { recursive: true });
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.folder, file), text);
  }

  declare(name: string, more = ""): void {
    const text = `command "sh"\nargs "-c" "echo up; exec sleep 600"\nport "none"\nreadiness "log" pattern="^up$"\n${more}\n`;
    this.write(`servers.d/${name}.kdl`, text);
  }

  /** Runs a command of a version. */
  async xy(version: Version, line: string): Promise<Ended> {
    const command = { args: line.split(" "), cwd: this.folder, env: { ...this.#home.env } };
    const ended = await versions.get(version)?.run(command);
    if (ended === undefined) throw new Error(`cannot run ${line} of ${version}`);
    return ended;
  }

  async did(version: Version, line: string): Promise<string> {
    const { code, stdout, stderr } = await this.xy(version, line);
    expect({ line, code, stderr }).toEqual({ line, code: 0, stderr });
    return stdout;
  }

  async servers(version: Version): Promise<unknown> {
    const all = JSON.parse(await this.did(version, "list --json")) as Record<string, unknown>[];
    return all.map(({ name, state, pid, restart_count }) => ({ name, state, pid, restart_count }));
  }

  setAside(): string[] {
    const files = readdirSync(this.#home.state, { recursive: true, encoding: "utf8" });
    return files.filter((file) => file.includes("set-aside"));
  }
}

const test = plain.extend<{ world: World }>({
  world: async ({ home }, use) => use(new World(home)),
});

describe("what a version left is taken over by another", () => {
  test.for<[Version, Version]>([
    ["released", "current"],
    ["fewer", "current"],
    ["current", "fewer"],
    ["current", "more"],
    ["more", "current"],
    ["released", "more"],
  ])("%s, by %s: nothing restarts, nothing is set aside, nothing differs", async ([from, to], { world }) => {
    world.declare("db", 'restart { policy "always"; }\nstop { grace "3s"; }');
    world.declare("web", 'depends-on "db"\numask "077"');
    world.declare("off", 'wanted "stop"');
    await world.did(from, "apply --yes");
    const before = await world.servers(from);
    await world.did(from, "agent stop --keep-servers");
    expect(await world.did(to, "plan --detailed-exitcode")).toBe(
      "No changes. 3 servers match the configuration.\n",
    );
    expect(await world.servers(to)).toEqual(before);
    expect(await world.did(to, "apply --yes")).toBe("No changes. 3 servers match the configuration.\n");
    expect(await world.servers(to)).toEqual(before);
    expect(world.setAside()).toEqual([]);
    await world.did(to, "rollback 1 --yes");
    expect(await world.servers(to)).toEqual(before);
    await world.did(to, "destroy --yes");
  });

  test("released, by current: what an agent does not know of is refused, and nothing is recorded", async ({
    world,
  }) => {
    world.declare("web");
    await world.did("released", "apply --yes");
    const before = await world.servers("released");
    for (const line of ["run -- true", "run --keep docs -- sleep 600", "forget web"])
      expect(await world.xy("current", line)).toMatchObject({
        code: 1,
        stdout: "",
        stderr: expect.stringContaining("`xy agent upgrade` puts this one in its place"),
      });
    expect(await world.servers("current")).toEqual(before);
    await world.did("current", "destroy --yes");
  });

  test("released, by current: a pattern that is understood no more ends nothing, and is told", async ({
    world,
  }) => {
    const server = 'command "sh"\nargs "-c" "echo up; exec sleep 600"\nport "none"\n';
    world.write("servers.d/web.kdl", `${server}readiness "log" pattern="^(?=up)up$"\n`);
    await world.did("released", "apply --yes");
    const before = await world.servers("released");
    await world.did("released", "agent stop --keep-servers");
    expect(await world.servers("current")).toEqual(before);
    const probe = await world.xy("current", "probe web");
    expect(probe).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("a lookahead, (?=…), cannot be used"),
    });
    const plan = await world.xy("current", "plan");
    expect(plan).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("cannot use this pattern: a lookahead"),
    });
    expect(await world.servers("current")).toEqual(before);
    expect(world.setAside()).toEqual([]);
    world.write("servers.d/web.kdl", `${server}readiness "log" pattern="^up$"\n`);
    await world.did("current", "apply --yes");
    expect(await world.servers("current")).toEqual(before);
    await world.did("current", "destroy --yes");
  });

  test.skipIf(whyNoSupervisord() !== undefined)(
    "released, by current, of servers under supervisord",
    async ({ world, onTestFinished }) => {
      const supervisord = new SupervisordHome();
      onTestFinished(() => supervisord.close());
      await supervisord.open();
      const { url, includeDir } = supervisord.site;
      world.write(
        "xy.config.kdl",
        `backend "supervisord"\nsupervisord { url ${JSON.stringify(url)}; include-dir ${JSON.stringify(includeDir)}; }\n`,
      );
      world.declare("web", 'restart { policy "always"; }\nstop { grace "3s"; }');
      await world.did("released", "apply --yes");
      const before = await world.servers("released");
      expect(await world.did("current", "plan --detailed-exitcode")).toMatch(/^No changes\. 1 server/);
      expect(await world.servers("current")).toEqual(before);
      expect(world.setAside()).toEqual([]);
      await world.did("current", "destroy --yes");
    },
  );
});

describe("commands of a version with the agent of another", () => {
  test("an agent that cannot search logs is named, with the way out", async ({ world }) => {
    world.declare("web");
    await world.did("released", "apply --yes");
    expect(await world.did("current", "logs web --tail 1")).toBe("[out] up\n");
    const { code, stderr } = await world.xy("current", "logs web --grep ^u");
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("`xy agent upgrade`"),
    });
    await world.did("current", "destroy --yes");
  });

  test.for<[Version, Version]>([
    ["released", "current"],
    ["current", "released"],
    ["more", "released"],
    ["more", "current"],
    ["current", "more"],
    ["fewer", "current"],
  ])("%s with that of %s: each works, or says what to do", async ([commands, agent], { world }) => {
    world.declare("web", 'action "tidy" { command "true"; }');
    await world.did(agent, "apply --yes");
    const before = await world.servers(agent);
    expect(await world.did(commands, "plan --detailed-exitcode")).toMatch(/^No changes\. 1 server/);
    expect(await world.servers(commands)).toEqual(before);
    world.declare("two");
    for (const line of [
      "status web",
      "why web",
      "tree",
      "stats",
      "children web",
      "probe web",
      "logs web",
      "history",
      "jobs",
      "run web:tidy",
      "pause web",
      "resume web",
      "apply --yes",
      "plan --detailed-exitcode",
      "stop two",
      "start two",
      "restart two",
      "kill two",
      "reload",
      "agent status",
    ]) {
      const { code, stdout, stderr } = await world.xy(commands, line);
      if (code !== 0) expect({ line, stdout, stderr: stderr }).toMatchObject({ stderr: /xy agent upgrade/ });
    }
    // What was there before is as it was.
    const [, after] = (await world.servers(commands)) as [unknown, unknown];
    expect(after).toEqual((before as unknown[])[0]);
    expect(world.setAside()).toEqual([]);
    await world.did(commands, "destroy --yes");
  });
});

describe("an apply that waits for a server", () => {
  test.for<[Version, Version]>([
    ["current", "released"],
    ["released", "current"],
  ])(
    "%s, by the agent of %s: it is waited for, and what fails is told",
    async ([commands, agent], { world }) => {
      world.declare("web");
      await world.did(agent, "apply --yes");
      world.declare("two");
      expect(await world.did(commands, "apply --yes")).toMatch(/two: added[,:] ready: printed: up/);
      const never = 'command "sleep"\nargs "600"\nport "none"\nreadiness "log" pattern="never"\n';
      world.write("servers.d/never.kdl", never);
      const failed = await world.xy(commands, "apply --yes --wait-timeout 300ms");
      expect(failed).toMatchObject({ code: 1, stdout: expect.stringContaining("not ready after 300ms") });
      await world.did(commands, "destroy --yes");
    },
  );
});

describe("a setting that another version has added", () => {
  test("restarts the server that it changes, and is shown only where it is said", async ({ world }) => {
    world.declare("web");
    expect(await world.did("more", "plan")).not.toContain("nice");
    await world.did("more", "apply --yes");
    for (const [said, field] of [
      ["nice 5", "nice"],
      ["nice 5\nlimits { mem 5; }", "limits.mem"],
    ] as const) {
      world.declare("web", said);
      const plan = await world.did("more", "plan");
      expect(plan).toContain("-/+ web will be changed and restarted");
      expect(plan).toContain(`because ${field} changed`);
      expect(await world.did("more", "apply --yes")).toContain("web: restarted");
      expect(await world.did("more", "plan --detailed-exitcode")).toContain("No changes");
    }
    await world.did("more", "destroy --yes");
  });

  test("is kept and named by a version that does not know it, which leaves the server running", async ({
    world,
  }) => {
    world.declare("web", "nice 5");
    await world.did("more", "apply --yes");
    const before = await world.servers("more");
    await world.did("more", "agent stop --keep-servers");
    expect(await world.xy("current", "plan")).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('unknown key "nice"'),
    });
    world.declare("web");
    const { stdout } = await world.xy("current", "plan");
    expect(stdout).toContain("settings that this one does not know (nice)");
    expect(await world.servers("current")).toEqual(before);
    expect(world.setAside()).toEqual([]);
    // The newer version finds all of it again.
    world.declare("web", "nice 5");
    await world.did("current", "agent stop --keep-servers");
    expect(await world.did("more", "plan --detailed-exitcode")).toContain("No changes");
    expect(await world.servers("more")).toEqual(before);
    await world.did("more", "destroy --yes");
  });

  test.for<Version>(["released", "current"])(
    "is refused by an agent of %s with the way out, and taken after an upgrade",
    async (agent, { world }) => {
      world.declare("web");
      await world.did(agent, "apply --yes");
      const before = await world.servers(agent);
      world.declare("low", "nice 5");
      const { code, stdout, stderr } = await world.xy("more", "apply --yes");
      expect(code).toBe(1);
      expect(`${stdout}${stderr}`).toContain("`xy agent upgrade` puts this one in its place");
      expect(((await world.servers("more")) as unknown[]).slice(-1)).toEqual(before);
      await world.did("more", "agent upgrade");
      await world.did("more", "apply --yes");
      expect(await world.did("more", "plan --detailed-exitcode")).toContain("No changes. 2 servers");
      await world.did("more", "destroy --yes");
    },
  );
});
