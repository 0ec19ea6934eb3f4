import { describe, expect, it } from "vitest";
import { eventually } from "../rig/eventually.ts";
import { homesInTurn } from "./cli.ts";

const newHome = homesInTurn();

describe("a pause", () => {
  it("is seen everywhere, and a server that is down in it too", async () => {
    const home = newHome();
    home.declare("db");
    await home.did("apply", "--yes");
    expect(await home.did("pause", "db", "--for", "1d")).toBe("db: paused for 1d\n");
    expect(await home.did("list")).toContain("running (paused)");
    expect(await home.did("status", "db")).toMatch(/^ {2}paused: +.*, for another 23 hours$/m);
    expect(await home.did("why", "db")).toMatch(
      /It was paused .* and stays paused for another 23 hours: nothing restarts it until the pause ends\. `xy resume db` ends it\.\n$/,
    );
    expect(await home.did("plan")).toMatch(
      /^paused: db, for another 23 hours; nothing restarts it until `xy resume db`\n\nNo changes\./,
    );

    process.kill((await home.servers()).db?.pid ?? 0, "SIGKILL");
    await eventually(async () => expect(await home.servers()).toMatchObject({ db: { state: "restarting" } }));
    expect(await home.did("list")).toContain("restarting (paused)");
    expect(await home.did("why", "db")).toMatch(
      /^db ended .* \(SIGKILL\) and will be restarted when its pause ends\./,
    );
    expect(await home.did("plan")).toMatch(
      /^paused: db, which is down \(SIGKILL\), for another 23 hours; nothing starts it until `xy resume db`\n/,
    );
    expect(await home.did("pause", "db")).toBe("db: was already paused; now until `xy resume`\n");
    expect(await home.did("resume", "db")).toBe("db: resumed\n");
    await eventually(async () => expect(await home.servers()).toMatchObject({ db: { state: "running" } }));
    expect(await home.did("resume", "db")).toBe("db: was not paused\n");
    expect(await home.did("plan")).toBe("No changes. 1 server matches the configuration.\n");
  });

  it("leaves a changed configuration in the plan, and lets an apply carry it out", async () => {
    const home = newHome();
    home.declare("db");
    await home.did("apply", "--yes");
    await home.did("pause", "--all");
    home.declare("db", 'env { LEVEL "debug"; }');
    expect(await home.did("apply", "--yes")).toContain("db: restarted, ready: printed: up\n");
    expect(await home.json("list")).toMatchObject([
      { state: "running", paused: { at_unix_ms: expect.any(Number) } },
    ]);
  });

  it.each([
    [["pause", "db", "--for", "soon"], "cannot read --for soon: write a duration such as 10m or 1h30m"],
    [
      ["pause", "db", "--for", "8d"],
      "cannot pause that long: --for is at most 7d; leave it out to pause until `xy resume`",
    ],
    [["pause"], "cannot tell which servers are meant: give either names or --all"],
  ])("xy %j is refused", async (words, message) => {
    expect(await newHome().xy(...words)).toMatchObject({ code: 64, stderr: `xy: ${message}\n` });
  });
});
