import { accessSync, constants, existsSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ServerSpec } from "../../../model/spec.ts";
import { type LogLine, type LogRequest, pause, STANDING_LOOKS } from "../../log-lines.ts";
import { unitName } from "../../render/unit.ts";
import type { Unit } from "../manager.ts";
import type { SupervisordClient } from "./client.ts";

/** The output of servers under supervisord: from files beside their units, or from supervisord itself. */

/** How much of a log to read at once by XML-RPC, bytes. */
const LOG_BLOCK = 256 * 1024;
/** Pause between two reads, ms. */
const LOG_GAP = 250;

/** The folder for output, inside the one for units: it exists whenever a unit does that names it. */
const LOGS = "xy-logs";

export function logsBeside(file: string, spec: ServerSpec): { out: string; err: string } {
  const folder = join(dirname(file), LOGS);
  return { out: join(folder, `${unitName(spec)}.out.log`), err: join(folder, `${unitName(spec)}.err.log`) };
}

export function removeLogs({ file, spec }: Unit): void {
  const folder = join(dirname(file), LOGS);
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder))
    if (
      /^(out|err)\.log(\.\d+)?$/.test(entry.slice(unitName(spec).length + 1)) &&
      entry.startsWith(unitName(spec))
    )
      rmSync(join(folder, entry), { force: true });
  if (readdirSync(folder).length === 0) rmdirSync(folder);
}

/** Whether it exists but this account may not read it. */
export function isClosed(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return false;
  } catch {
    return existsSync(path);
  }
}

/** Output by XML-RPC, if its files cannot be read from here. It only carries text, in pieces. `name`: as supervisord calls it. */
export async function* tail(
  client: SupervisordClient,
  name: string,
  { tail: wanted, follow, stream, asItStands = false, matches = () => true }: LogRequest,
  signal: AbortSignal,
): AsyncGenerator<LogLine, void, void> {
  const streams = (["stdout", "stderr"] as const).filter((each) => stream === undefined || stream === each);
  const ends = new Map<string, number>();
  const rests = new Map<string, string>();
  const looks = new Map<string, number>();
  for (const each of streams) {
    const { text, offset } = await client.tail(name, each, 0, LOG_BLOCK);
    ends.set(each, offset);
    const lines = text.split("\n");
    const rest = lines.pop() ?? "";
    if (follow) rests.set(each, rest);
    const all = follow || rest === "" ? lines : [...lines, rest];
    for (const line of wanted === 0 ? [] : all.filter(matches).slice(-wanted)) yield { stream: each, line };
  }
  while (follow && !signal.aborted) {
    for (const each of streams) {
      const from = ends.get(each) ?? 0;
      const text = await client.read(name, each, from);
      // It got shorter: it was rotated.
      ends.set(each, text === undefined ? 0 : from + Buffer.byteLength(text));
      const lines = `${rests.get(each) ?? ""}${text ?? ""}`.split("\n");
      const rest = lines.pop() ?? "";
      const stood = text ? 0 : (looks.get(each) ?? 0) + 1;
      const isLine = asItStands && rest !== "" && stood >= STANDING_LOOKS;
      rests.set(each, isLine ? "" : rest);
      looks.set(each, isLine ? 0 : stood);
      for (const line of (isLine ? [...lines, rest] : lines).filter(matches)) yield { stream: each, line };
    }
    await pause(LOG_GAP, signal);
  }
  // Its newline will not come any more.
  for (const each of streams) {
    const rest = rests.get(each);
    if (rest && matches(rest)) yield { stream: each, line: rest };
  }
}
