import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect } from "vitest";
import { installAgent, uninstallAgent } from "../../src/backends/agent/install.ts";
import { LaunchdUser } from "../../src/backends/agent/launchd-user.ts";
import { eventually } from "../rig/eventually.ts";
import { readPlist, SimulatedLaunchd, whyNoPlistutil } from "../rig/launchd.ts";
import { test } from "../rig/test.ts";

const GUI = "gui/501";

describe.skipIf(whyNoPlistutil() !== undefined)("an agent under a simulated launchd", () => {
  test("comes back, and no server notices", async ({ home, agent, stage }) => {
    const launchd = new SimulatedLaunchd(GUI);
    const service = new LaunchdUser({ HOME: home.root }, { uid: 501 }, launchd.ask);
    await agent.apply(stage.spec("a"), "add", 0);
    const { pid } = await stage.next("a");
    const untouched = async () =>
      expect(await agent.observe()).toMatchObject([{ pid, state: "running", restartCount: 0 }]);

    expect(await installAgent(home.state, service)).toEqual({ changed: true });
    expect(readPlist(service.file)).toMatchObject({
      Label: "xyctl.agent",
      ProgramArguments: ["/bin/sh", join(home.state, "agent.sh"), home.state, "--take-over", "--installed"],
      AbandonProcessGroup: true,
      KeepAlive: { SuccessfulExit: false },
      RunAtLoad: true,
      StandardErrorPath: join(home.state, "agent.log"),
    });
    await untouched();
    expect(await installAgent(home.state, service)).toEqual({ changed: false });
    expect(launchd.runs).toBe(1);

    const loop = (await service.pid()) as number;
    process.kill(loop, "SIGKILL");
    await eventually(async () => expect(await service.pid()).not.toBeOneOf([undefined, loop]));
    await eventually(async () => expect(agent.record).toMatchObject({ loop: { pid: await service.pid() } }));
    await agent.isBack();
    await untouched();

    expect(await uninstallAgent(home.state, service)).toBe(true);
    expect(await service.pid()).toBeUndefined();
    expect(launchd.calls.filter((call) => call.startsWith("boot"))).toEqual([
      `bootstrap ${GUI} ${service.file}`,
      `bootout ${GUI}/xyctl.agent`,
    ]);
    await agent.isBack();
    await untouched();
    await launchd.close();
  });

  test("is loaded at the second try where the first one fails, and without a graphical session", async ({
    home,
    agent,
  }) => {
    const launchd = new SimulatedLaunchd("user/501");
    launchd.failures.push(5);
    const service = new LaunchdUser({ HOME: home.root }, { uid: 501 }, launchd.ask);
    expect(await installAgent(home.state, service)).toEqual({ changed: true });
    expect(launchd.calls.filter((call) => call.startsWith("bootstrap"))).toHaveLength(2);
    expect(readPlist(service.file)).toMatchObject({ LimitLoadToSessionType: "Background" });
    expect(await agent.shutdown(false)).toEqual([]);
    // Told to end, it stays so until it is started.
    await eventually(async () => expect(await service.pid()).toBeUndefined());
    await service.start();
    await agent.isBack();
    await agent.shutdown(false);
    await launchd.close();
  });

  test("writes any path so that it comes back as it is", async ({ home }) => {
    const service = new LaunchdUser({ HOME: home.root }, { uid: 501 }, new SimulatedLaunchd(GUI).ask);
    const odd = ` a&b <c> "d" 'e' ]]> ü\t--> `;
    const environment = [{ name: "ODD", value: odd }];
    const text = await service.text({ state: `/${odd}`, loop: `/l${odd}`, log: `/g${odd}`, environment });
    expect(service.stateIn(text)).toBe(`/${odd}`);
    mkdirSync(dirname(service.file), { recursive: true });
    writeFileSync(service.file, text);
    expect(readPlist(service.file)).toMatchObject({
      ProgramArguments: ["/bin/sh", `/l${odd}`, `/${odd}`, "--take-over", "--installed"],
      EnvironmentVariables: { ODD: odd },
    });
    await expect(service.text({ state: "/\u0001", loop: "", log: "", environment })).rejects.toThrow(
      /control char/,
    );
  });
});
