import { rmSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../rig/eventually.ts";
import { otherVersion } from "../rig/package.ts";
import { type SystemdHome, systemdHomesInTurn, whyNoSystemd } from "../rig/systemd.ts";

const UNIT = ".config/systemd/user/xy-agent.service";
const SERVER = `command "sh"
args "-c" "echo up; exec sleep 600"
port "none"
readiness "log" pattern="^up$"
`;

describe.skipIf(whyNoSystemd() !== undefined)(
  "an agent that is installed under a real systemd --user",
  () => {
    const nextHome = systemdHomesInTurn();
    let home: SystemdHome;
    beforeEach(async () => {
      home = await nextHome();
      for (const name of ["a", "b"]) home.write(`.config/xy/servers.d/${name}.kdl`, SERVER);
    });

    const pids = async () =>
      ((await home.json("list")) as { name: string; pid: number; restart_count: number }[]).map(
        ({ name, pid, restart_count }) => ({ name, pid, restart_count }),
      );
    const mainPid = async () => Number(await home.did("systemctl --user show -p MainPID --value xy-agent"));
    const agentPid = async () => (await home.json("agent status")).pid as number;
    /** Waits until the service manager's loop has an agent that is not this one. */
    const isBack = (old: number) =>
      eventually(async () => {
        const { running, pid } = await home.json("agent status");
        expect(running).toBe(true);
        expect(pid).not.toBe(old);
        expect(await home.did("systemctl --user is-active xy-agent")).toBe("active");
      });

    it("comes back however it dies, and no server notices", async () => {
      await home.did("xy apply --yes");
      const before = await pids();
      expect(before).toHaveLength(2);
      const { stdout, stderr } = await home.shell("xy agent install");
      expect(stdout).toBe(
        "Installed: systemd runs the agent and starts it at login (~/.config/systemd/user/xy-agent.service).\n",
      );
      expect(stderr).toContain("loginctl enable-linger");
      expect(await pids()).toEqual(before);
      expect(
        await home.did("systemctl --user is-enabled xy-agent; systemctl --user is-active xy-agent"),
      ).toBe("enabled\nactive");
      expect(await home.did("systemctl --user status xy-agent --no-pager")).toContain("active (running)");
      expect(await home.shell(`systemd-analyze --user verify ~/${UNIT}`)).toEqual({
        code: 0,
        stdout: "",
        stderr: "",
      });
      expect(await home.json("agent install")).toMatchObject({ installed: true, changed: false });

      const agent = await agentPid();
      await home.did(`kill -9 ${agent}`);
      await isBack(agent);
      expect(await pids()).toEqual(before);

      // The loop alone: the agent, which nobody would bring back, gives way to one under the next loop.
      const [loop, orphan] = [await mainPid(), await agentPid()];
      await home.did(`kill -9 ${loop}`);
      await isBack(orphan);
      expect(await mainPid()).not.toBe(loop);
      expect(await pids()).toEqual(before);

      const both = [await mainPid(), await agentPid()] as const;
      await home.did(`kill -9 ${both.join(" ")}`);
      await isBack(both[1]);
      expect(await pids()).toEqual(before);

      expect(await home.did("xy agent uninstall")).toBe(
        "Removed ~/.config/systemd/user/xy-agent.service: the agent no longer starts at login.\n" +
          "The agent and its servers keep running. `xy agent stop` stops them.",
      );
      expect((await home.shell("systemctl --user status xy-agent")).stderr).toContain("could not be found");
      expect(await pids()).toEqual(before);
      const last = await agentPid();
      await home.did(`kill -9 ${last}`);
      await eventually(async () => expect(await agentPid()).not.toBe(last));
      expect(await pids()).toEqual(before);
      expect(await home.json("agent uninstall")).toMatchObject({ removed: false });
      expect(await home.did("xy agent stop")).toBe("The agent has stopped, and with it a, b.");
    });

    it("is started by systemd, also when a command needs it", async () => {
      await home.did("xy apply --yes");
      await home.did("xy agent install");
      await home.did("xy agent stop");
      expect((await home.shell("systemctl --user is-active xy-agent")).stdout).toBe("inactive\n");
      await home.did("xy list");
      expect(await home.did("systemctl --user is-active xy-agent")).toBe("active");
      // What the end of a session does.
      const { pid } = (await home.json("list"))[0];
      await home.did("systemctl --user stop xy-agent");
      expect((await home.shell(`kill -0 ${pid}`)).code).not.toBe(0);
      expect(await home.json("agent status")).toEqual({ running: false });
    });

    it("is upgraded, and goes back, without a restart of its unit", async () => {
      const good = otherVersion(join(home.path, "good"), "0.99.0");
      const bad = otherVersion(join(home.path, "bad"), "0.99.1", [
        "await registry.adoptAll();",
        "process.exit(9);",
      ]);
      await home.did("xy apply --yes");
      await home.did("xy agent install");
      const [before, loop] = [await pids(), await mainPid()];
      expect(await home.json("agent upgrade", good)).toMatchObject({
        upgraded: true,
        to: "0.99.0",
        servers: 2,
      });
      const { code, stderr } = await home.shell("xy agent upgrade", bad);
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr:
          "xy: cannot upgrade: the new agent ended with 9 before it served. Version 0.99.0 serves again.\n",
      });
      expect([await pids(), await mainPid()]).toEqual([before, loop]);
      rmSync(join(home.path, "good"), { recursive: true });
      const orphan = await agentPid();
      await home.did(`kill -9 ${loop}`);
      await isBack(orphan);
      expect(await mainPid()).not.toBe(loop);
      expect(await home.json("agent status")).toMatchObject({ version: "0.99.0" });
      expect(await pids()).toEqual(before);
      // The older version, installed again, takes its place.
      expect(await home.json("agent install")).toMatchObject({ upgraded: { from: "0.99.0" } });
      expect(await pids()).toEqual(before);
    });

    it("may have its state in a folder with an odd name", async () => {
      const odd = `export XDG_STATE_HOME="$HOME/"'st %n $HOME \\t "q" ;#'`;
      await home.did(`${odd}; xy apply --yes && xy agent install`);
      expect(await home.shell(`systemd-analyze --user verify ~/${UNIT}`)).toMatchObject({
        code: 0,
        stderr: "",
      });
      expect(await home.did("systemctl --user is-active xy-agent")).toBe("active");
      const list = JSON.parse(await home.did(`${odd}; xy list --json`));
      expect(list).toMatchObject([{ restart_count: 0 }, { restart_count: 0 }]);
      await home.did(`${odd}; xy agent uninstall; xy agent stop`);
    });

    it("leaves a unit alone that somebody else wrote", async () => {
      home.write(UNIT, "[Service]\nExecStart=/bin/true\n");
      for (const verb of ["install", "uninstall"]) {
        const { code, stderr } = await home.shell(`xy agent ${verb}`);
        expect({ code, stderr }).toEqual({
          code: 1,
          stderr: `xy: cannot use ${home.path}/${UNIT}: xy did not write it; move it away, and try again\n`,
        });
      }
      expect(await home.did(`cat ~/${UNIT}`)).toBe("[Service]\nExecStart=/bin/true");
    });
  },
);
