import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { AgentBackend } from "../../src/backends/agent/backend.ts";
import type { Backend } from "../../src/backends/backend.ts";
import { ADDED } from "../../src/backends/render/capabilities.ts";
import { SupervisordManager } from "../../src/backends/units/supervisord/manager.ts";
import { SystemdManager } from "../../src/backends/units/systemd/manager.ts";
import { unitSubject } from "../contract/unit-subject.ts";
import { makeHome } from "../rig/home.ts";
import type { SweptFolder } from "../rig/secret-scan.ts";
import { changeOf } from "../rig/spec.ts";
import { SupervisordHome, whyNoSupervisord } from "../rig/supervisord.ts";
import { SystemdManagerHome, whyNoSystemd } from "../rig/systemd.ts";
import { compareReports, generatedServers, prepare, seedOf } from "../rig/units.ts";

const COUNT = 60;

/**
 * Applies made-up servers, with secrets, and compares what each process received, byte for byte. Answers with the names
 * in their environments that nobody declared.
 */
async function deliver(backend: Backend, home: SweptFolder): Promise<string[]> {
  const root = join(home.path, "g");
  // There the servers themselves tell their whole environment.
  home.allow(join(root, "reports"));
  const seed = seedOf(`servers for ${backend.kind}`);
  const servers = generatedServers(backend.kind, root, COUNT, seed);
  prepare(root, servers);
  const { signal } = new AbortController();
  const results = await Promise.all(
    servers.map(({ spec, secrets }) =>
      backend.perform(changeOf(spec, "add"), { secrets, waitMs: 0, signal }),
    ),
  );
  const failed = results.filter(({ ok }) => !ok);
  expect(failed, `XY_TEST_SEED=${seed}`).toEqual([]);
  const openFiles = backend.kind !== "supervisord";
  const added = await compareReports(servers, { openFiles }).catch((error) => {
    throw new Error(`XY_TEST_SEED=${seed}: ${error.message}`);
  });
  return [...added].sort();
}

describe("each process gets exactly what is declared", () => {
  it("under the agent", async () => {
    const home = makeHome();
    const backend = new AgentBackend(home.state);
    onTestFinished(async () => {
      await backend.close();
      await home.dispose();
    });
    expect(await deliver(backend, home.folder)).toEqual([]);
  });

  it.skipIf(whyNoSystemd() !== undefined)("under a real systemd --user", async () => {
    const home = await SystemdManagerHome.open();
    const account = { uid: process.getuid?.() ?? 0, username: "root" };
    const { backend, dispose } = await unitSubject(
      "systemd",
      home.path,
      (logFiles) => new SystemdManager(home.env, account, logFiles, home.ask),
      () => home.close(),
    );
    onTestFinished(dispose);
    const added = await deliver(backend, home.folder);
    const { stdout } = await home.ask("systemctl", ["--user", "show-environment"]);
    const own = stdout.split("\n").map((line) => line.slice(0, line.indexOf("=")));
    // There is no journal here.
    const set = [...added.filter((name) => !own.includes(name)), "JOURNAL_STREAM"];
    expect(set.sort()).toEqual(ADDED.systemd);
  });

  it.skipIf(whyNoSupervisord() !== undefined)("under a real supervisord", async () => {
    const home = await new SupervisordHome().open();
    const { backend, dispose } = await unitSubject(
      "supervisord",
      home.path,
      () => new SupervisordManager(home.site),
      () => home.close(),
    );
    onTestFinished(dispose);
    const added = await deliver(backend, home.folder);
    const own = Object.keys(home.env);
    expect(added.filter((name) => !own.includes(name))).toEqual(ADDED.supervisord);
  });
});
