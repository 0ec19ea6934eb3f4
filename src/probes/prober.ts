import { environmentOf } from "../model/environment.ts";
import type { McpFacts, ProbeReport } from "../model/probe-report.ts";
import type { ServerSpec } from "../model/spec.ts";
import type { Probe, SecretValues } from "../model/spec-parts.ts";
import { packageVersion } from "../system/package.ts";
import { commandProbe } from "./command.ts";
import { httpProbe } from "./http.ts";
import { at, ListenerProbe } from "./listener.ts";
import { mcpProbe } from "./mcp.ts";
import type { Subject } from "./subject.ts";

/** One look of a probe. */
export interface Look extends ProbeReport {
  /** Each such look leaves something behind in the server. */
  readonly costly?: boolean;
  /** Nothing can tell, of this process, whether it is good. */
  readonly unknowable?: boolean;
}

/** The probes that look at something; the others wait for it. */
export type LookingProbe = Exclude<Probe, { type: "none" | "log" }>;
type NetworkProbe = Exclude<LookingProbe, { type: "command" }>;

/** Looks at one run of a server through its probes. */
export class Prober {
  readonly #subject: Subject;
  readonly #listener: ListenerProbe;
  readonly #signal: AbortSignal;
  /** Known from an earlier look at the same process, which speaks no other. */
  #era: McpFacts["era"];
  /** Of xy; read once, since looks are many. */
  #version: string | undefined;

  /** `signal`: the run is let go. */
  constructor(subject: Subject, signal: AbortSignal) {
    this.#subject = subject;
    this.#listener = new ListenerProbe(subject);
    this.#signal = signal;
  }

  /** Throws when nothing can be seen now, which says nothing about the server. */
  async look(spec: ServerSpec, probe: LookingProbe, secrets: SecretValues): Promise<Look> {
    if (probe.type === "command") {
      const { program, args, timeout } = probe;
      const env = environmentOf(spec, secrets);
      const { workingDir } = spec;
      const [dir, signal] = [this.#subject.dir, this.#signal];
      return commandProbe({ program, args, timeout, env, workingDir, dir, signal });
    }
    const listener = await this.#listener.look({ ...probe, host: spec.host });
    if (probe.type === "tcp" || !listener.ok || listener.address === undefined) return listener;
    const look = await this.#ask(probe, spec.host, listener.address);
    return {
      ...look,
      evidence: `${look.evidence}${listener.exposure ?? ""}`,
      steps: [...listener.steps, ...look.steps],
    };
  }

  async #ask(probe: Exclude<NetworkProbe, { type: "tcp" }>, host: string, address: string): Promise<Look> {
    const { port, path, timeout: timeoutMs } = probe;
    const target = { address, port, path, host: at(host, port), timeoutMs };
    if (probe.type === "http") return httpProbe({ ...target, status: probe.status });
    this.#version ??= packageVersion();
    const report = await mcpProbe({
      ...target,
      clientVersion: this.#version,
      ...(this.#era === undefined ? {} : { era: this.#era }),
    });
    this.#era = report.mcp?.era ?? this.#era;
    // What is opened in the older way keeps a little of each opening, also of one that is closed again.
    return { ...report, costly: this.#era === "legacy" };
  }
}
