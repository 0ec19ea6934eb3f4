import { understood, unusable } from "../../model/expression.ts";
import type { ProbeReport } from "../../model/probe-report.ts";
import type { ProcessId } from "../../model/process.ts";
import { Redactor } from "../../model/redact.ts";
import { withoutUndefined } from "../../model/without-undefined.ts";
import { Steps } from "../../probes/steps.ts";
import { identify, isRunning } from "../../system/processes.ts";
import type { Known } from "./inventory.ts";
import { lookAt } from "./readiness.ts";
import type { UnitBackend } from "./unit-backend.ts";

/** How many lines to search for the one that says "ready". */
const EARLIER_LINES = 1000;

/** Probes a server under a service manager once, for a person, who sees each step. */
export async function probeUnit(
  backend: UnitBackend,
  name: string,
  which: "readiness" | "liveness",
  signal: AbortSignal,
): Promise<ProbeReport & { readonly type: string }> {
  const known = (await backend.known([name])).get(name);
  const steps = new Steps();
  const probe = known?.record.spec[which];
  const pid = known?.live.pid;
  if (known === undefined || probe === undefined || pid === undefined)
    return {
      type: probe?.type ?? "none",
      ...steps.bad("process", `${name} does not run: it is ${known?.live.state ?? "stopped"}`),
    };
  const { type } = probe;
  if (type === "none") return { type, ...steps.good("none", "its program runs; there is no other check") };
  if (type === "log") return { type, ...(await findLine(backend, known, probe.pattern, signal)) };
  const process = identify(pid);
  const look = await lookAt(known.record, probe, { pid, dir: backend.store.dir, signal });
  if (which === "readiness" && process !== undefined) note(backend, name, process, look);
  return { type, ...look };
}

/** No agent probes it again: the result is shown until a person probes again. */
function note({ store }: UnitBackend, name: string, process: ProcessId, look: ProbeReport): void {
  const { ok, evidence, mcp } = look;
  const looked = { process, ok, evidence, at: Date.now(), ...withoutUndefined({ mcp }) };
  store.update(name, (record) => ({ ...record, looked }));
}

/** If output is stored without times, nobody can tell which run printed a line: then only what xy saw itself counts. */
async function findLine(
  { manager }: UnitBackend,
  { record, unit, live }: Known,
  pattern: string,
  signal: AbortSignal,
): Promise<ProbeReport> {
  const steps = new Steps();
  const { ready } = record;
  if (ready && ready.process.pid === live.pid && isRunning(ready.process))
    return steps.good("log", ready.evidence);
  const since = live.startedAt;
  if (manager.logFiles(record.spec, record.file) || since === undefined)
    return steps.bad(
      "log",
      `cannot tell whether this run printed a line that matches ${pattern}: its output is stored without times`,
    );
  const known = await understood(pattern);
  if (!known.ok) return steps.bad("log", unusable(known.fault));
  const redactor = new Redactor(record.secrets, record.spec.env);
  for await (const { line } of manager.logs(unit, { tail: EARLIER_LINES, follow: false, since }, signal)) {
    if (known.expression.test(line)) return steps.good("log", `printed: ${redactor.evidence(line)}`);
  }
  return steps.bad("log", `none of the last ${EARLIER_LINES} lines matches ${pattern}`);
}
