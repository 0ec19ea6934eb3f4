import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { homesInTurn, newHome } from "./cli.ts";

const inTurn = homesInTurn();

describe("xy status without a name", () => {
  it("starts nothing where there is nothing, and says how to begin", async () => {
    const home = newHome();
    const { code, stdout, stderr } = await home.xy("status");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^Nothing was applied yet, and no configuration is here\. `xy init`/);
    home.declare("web");
    expect(await home.did("status")).toMatch(/^Nothing of \S+ was applied yet\. `xy plan` shows/);
    expect(await home.json("status")).toMatchObject({ project: null, counts: { servers: 0 } });
    expect(await home.json("agent", "status")).toMatchObject({ running: false });
  });

  it("counts servers, says what failed and why, and which files changed since", async () => {
    const home = inTurn();
    home.declare("web");
    home.declare("idle");
    home.write(
      "servers.d/bad.kdl",
      'command "sh"\nargs "-c" "exit 7"\nport "none"\nrestart { policy "never"; }\n',
    );
    expect((await home.xy("apply", "--yes")).code).toBe(1);
    await home.did("stop", "idle");
    const before = await home.did("status");
    expect(before).toMatch(/servers {2}3: 1 running, 1 ready, 1 failed, 1 held\n/);
    expect(before).toMatch(/failed {3}bad \(.*exit 7.*\): `xy why bad`\n/);
    expect(before).toMatch(/applied {2}generation 1, .*, with failures\n/);
    expect(before).toContain("none in the files since then");
    writeFileSync(join(home.project, "servers.d/new.kdl"), 'command "true"\nport "none"\n');
    expect(await home.did("status")).toContain("servers.d/new.kdl changed since then; `xy plan` shows");
    expect(await home.json("status")).toMatchObject({
      project: "tools",
      agent: { running: true },
      backends: [{ backend: "agent", servers: 3 }],
      counts: { servers: 3, known: 3, running: 1, failed: 1, held: 1 },
      failed: [{ name: "bad", state: "stopped" }],
      changed_files: [expect.stringMatching(/new\.kdl$/)],
    });
  });

  it("evaluates nothing, and starts no agent that was stopped", async () => {
    const home = newHome();
    home.declare("web");
    await home.did("apply", "--yes");
    await home.did("agent", "stop");
    home.write("servers.d/web.kdl", "this is { not KDL");
    const text = await home.did("status");
    expect(text).toContain("not running; `xy agent start` starts it");
    expect(text).toContain("1, and nobody to say how they are");
    expect(await home.json("agent", "status")).toMatchObject({ running: false });
  });
});

describe("xy version", () => {
  it("begins like --version, and says where xy and Node are, and whether an agent runs", async () => {
    const home = newHome();
    const lines = (await home.did("version")).split("\n");
    for (const flag of ["--version", "-V", "-v"]) expect(await home.did(flag)).toBe(`${lines[0]}\n`);
    expect(lines.slice(1)).toEqual([
      expect.stringMatching(/^xy {6}\S/),
      expect.stringMatching(/^node {4}\S/),
      "agent   not running",
      "",
    ]);
    expect(await home.json("version")).toMatchObject({ node: process.versions.node, agent: null });
    expect(await home.json("agent", "status")).toMatchObject({ running: false });
  });
});
