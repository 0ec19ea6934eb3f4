import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { eventually } from "../../rig/eventually.ts";
import { ours } from "../../rig/mcp/servers.ts";

/** A bridge runs for as long as its server: what it loads before anybody needs it is memory that is lost. */

const ROOT = join(import.meta.dirname, "../../..");
const BARE =
  'import { createServer } from "node:http"; createServer().listen(0, "127.0.0.1", () => process._rawDebug("listens"));';
/** Node keeps its text, as bytes. */
const MOST_BYTES = 70_000;
/** Of Node itself, what a bridge loads that has started its server, beyond what one loads that only listens. */
const MOST_MODULES = 4;

/** Has a Node say which of its own modules it has loaded. */
const TELLING = `data:text/javascript,${encodeURIComponent(`process.on("SIGWINCH", () => {
  const names = process.moduleLoadList.flatMap((name) => name.split("NativeModule ")[1] ?? []);
  process._rawDebug("loaded " + names.join(",") + ";");
});`)}`;

function started(words: readonly string[]): { child: ChildProcess; said: () => string } {
  const child = spawn(process.execPath, ["--import", TELLING, ...words]);
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text) => (said += text));
  onTestFinished(async () => {
    const ended = once(child, "close");
    child.kill("SIGTERM");
    await ended;
  });
  return { child, said: () => said };
}

async function loaded({ child, said }: ReturnType<typeof started>): Promise<string[]> {
  child.kill("SIGWINCH");
  await eventually(() => expect(said()).toMatch(/loaded .*;/));
  return (/loaded (.*);/.exec(said())?.[1] ?? "").split(",");
}

it("a bridge before its first client is a Node that listens, and little else", async () => {
  const bare = started(["--input-type=module", "-e", BARE]);
  await eventually(() => expect(bare.said()).toContain("listens"));
  const bridge = started([
    ...[join(ROOT, "bin/bridge.cjs"), "--port=0", "--", process.execPath, ours("odd")],
  ]);
  // Its server has proved itself: it is ended then.
  const url = await eventually(() => {
    const found = /serves at (http:\S+)\/mcp/.exec(bridge.said())?.[1];
    expect(found).toBeDefined();
    return `${found}/.well-known/xy-bridge`;
  });
  await eventually(async () =>
    expect(await (await fetch(url)).json()).toMatchObject({ works: true, bridge: { child_count: 0 } }),
  );
  const floor = new Set(await loaded(bare));
  const more = (await loaded(bridge)).filter((name) => !floor.has(name));
  expect(more.filter((name) => /crypto|tls|zlib|mime|worker|readline/.test(name))).toEqual([]);
  expect(more.slice(MOST_MODULES), more.join()).toEqual([]);
  expect(statSync(join(ROOT, "dist/bridge.cjs")).size).toBeLessThan(MOST_BYTES);
});
