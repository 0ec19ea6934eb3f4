import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Job } from "../../src/model/job.ts";
import { SystemdHome, whyNoSystemd } from "../rig/systemd.ts";

describe.skipIf(whyNoSystemd() !== undefined)("actions of servers under a real systemd --user", () => {
  let home: SystemdHome;
  beforeEach(async () => {
    home = await SystemdHome.open();
    home.write("tools/xy.config.kdl", 'backend "systemd"\n');
    for (const name of ["web", "web2"])
      home.write(
        `tools/servers.d/${name}.kdl`,
        `command "sh"
args "-c" "echo up; exec sleep 600"
port "none"
readiness "log" pattern="^up$"
env { GREETING "hello from {name}"; }
action "say" { command "sh"; args "-c" "echo $GREETING"; }
action "wait" { command "sleep"; args "600"; }
`,
      );
  });
  afterEach(() => home.close());

  const jobs = async (flags = "") =>
    ((await home.json(`jobs ${flags}`)) as { jobs: Job[] }).jobs.map(
      ({ service_id, action_id, phase }) => `${service_id}:${action_id} ${phase}`,
    );

  it("are run by the agent, with the environment of their server, and go with a restart of that alone", async () => {
    await home.did("xy apply --yes");
    expect(await home.did("xy plan")).toBe("No changes. 2 servers match the configuration.");
    for (const name of ["web", "web2"])
      expect(await home.did(`xy run ${name}:say`)).toBe(`hello from ${name}`);
    await home.did("xy run web:wait --detach");
    await home.did("xy restart web --keep-jobs");
    expect(await jobs("--server web")).toEqual([
      expect.stringMatching(/^web:wait (running|pending)$/),
      "web:say succeeded",
    ]);
    await home.did("xy restart web");
    expect(await jobs()).toEqual(["web2:say succeeded"]);
    await home.did("xy stop web2 --remove-jobs");
    expect(await jobs()).toEqual([]);
    await home.did("xy run web:say");
    // What is typed is the agent's, whatever runs the others.
    expect(await home.did("xy run -- echo typed")).toBe("typed");
    await home.did("xy run --detach --keep mine -- sleep 600");
    expect(await home.did("xy run --keep web -- sleep 600 2>&1; test $? = 1")).toMatch(/declare/);
    expect(
      await home.did("rm servers.d/web.kdl; xy run --keep web -- sleep 600 2>&1; test $? = 1"),
    ).toContain("systemd runs a server of this name");
    expect(await home.did("xy plan")).toContain("undeclared: mine is running, and left as it is");
    expect(await home.json("list")).toMatchObject([{ name: "mine", backend: "agent", kept: true }, {}, {}]);
    expect(await home.did("xy destroy --yes")).toContain("Destroy complete: 0 added, 0 changed, 7 removed.");
    expect(await jobs()).toEqual([]);
    await home.did('test -z "$(ls ~/.local/state/xy/projects)"');
  });
});
