import { TOKEN_VARIABLE } from "../model/bridge-token.ts";
import { environmentOf } from "../model/environment.ts";
import { isStdio } from "../model/mcp-fields.ts";
import { own } from "../model/own.ts";
import type { ProbeReport } from "../model/probe-report.ts";
import type { ServerSpec } from "../model/spec.ts";
import type { Probe, SecretValues } from "../model/spec-parts.ts";
import { timeoutHelp } from "../model/start-report.ts";
import { packageVersion } from "../system/package.ts";
import { bridgeProbe } from "./bridge.ts";
import { commandProbe } from "./command.ts";
import { type HttpTarget, httpProbe } from "./http.ts";
import { at, ListenerProbe, type ListenerReport } from "./listener.ts";
import { type McpTarget, mcpProbe } from "./mcp.ts";
import type { Subject } from "./subject.ts";

/** The result of one look of a probe. */
export interface Look extends ProbeReport {
  /** Each such look leaves something behind in the server. */
  readonly costly?: boolean;
  /** The probe cannot judge this process at all. */
  readonly unknowable?: boolean;
}

/** Probes that look at something; the others wait for an event. */
export type LookingProbe = Exclude<Probe, { type: "none" | "log" }>;
type NetworkProbe = Exclude<LookingProbe, { type: "command" }>;

/** For a bridge to tell about its clients, ms. */
const FACTS_BOUND = 1000;

/** Looks at one run of a server through its probes. */
export class Prober {
  readonly #subject: Subject;
  readonly #listener: ListenerProbe;
  readonly #signal: AbortSignal;
  /** Known from an earlier look at the same process, which does not change it. */
  #known: Pick<McpTarget, "era" | "ssePath"> = {};
  /** xy's version; read once, since there are many looks. */
  #version: string | undefined;

  /** `signal`: aborted when the run is no longer watched. */
  constructor(subject: Subject, signal: AbortSignal) {
    this.#subject = subject;
    this.#listener = new ListenerProbe(subject);
    this.#signal = signal;
  }

  /** Throws if nothing can be checked now, which says nothing about the server. */
  async look(spec: ServerSpec, probe: LookingProbe, secrets: SecretValues): Promise<Look> {
    if (probe.type === "command") {
      const { program, args, timeout } = probe;
      const env = environmentOf(spec, secrets);
      const { workingDir } = spec;
      const [dir, signal] = [this.#subject.dir, this.#signal];
      return commandProbe({ program, args, timeout, env, workingDir, dir, signal });
    }
    if (probe.type === "http" && probe.host !== undefined) return askElsewhere(probe, probe.host);
    const listener = await this.#listener.look({ ...probe, host: spec.host });
    if (probe.type === "tcp" || !listener.ok || listener.address === undefined) return listener;
    const place = { address: listener.address, host: spec.host, ...authorization(spec, secrets) };
    if (probe.type === "mcp" && isStdio(spec.mcp) && probe.port === spec.port)
      return after(listener, await this.#askBridge(spec, probe, place));
    const seen = await this.#ask(probe, place);
    const look = probe.type === "mcp" ? withHelp(seen, probe, spec) : seen;
    return after(listener, look);
  }

  /** What the bridge of a server over stdin and stdout tells now; undefined: it has none. */
  async askBridge(spec: ServerSpec, secrets: SecretValues): Promise<Look | undefined> {
    const { host, port, mcp } = spec;
    if (!isStdio(mcp) || port === null) return undefined;
    const listener = await this.#listener.look({ host, port, timeout: FACTS_BOUND });
    if (listener.address === undefined) return listener;
    const place = { address: listener.address, host, ...authorization(spec, secrets) };
    return after(listener, await this.#askBridge(spec, { port, timeout: FACTS_BOUND }, place));
  }

  #askBridge(
    { liveness }: ServerSpec,
    probe: Pick<NetworkProbe, "port" | "timeout">,
    { host, ...place }: Pick<HttpTarget, "address" | "host" | "headers">,
  ): Promise<Look> {
    const { port, timeout: timeoutMs } = probe;
    return bridgeProbe(
      { ...place, port, host: at(host, port), timeoutMs },
      probe === liveness ? "liveness" : "readiness",
    );
  }

  #learn({ mcp }: ProbeReport, path: string): void {
    if (mcp?.era === undefined) return;
    const { era, transport } = mcp;
    this.#known = { era, ...(transport === "http+sse" ? { ssePath: mcp.path ?? path } : {}) };
  }

  async #ask(
    probe: Exclude<NetworkProbe, { type: "tcp" }>,
    { address, host, headers }: Pick<HttpTarget, "address" | "host" | "headers">,
  ): Promise<Look> {
    const { port, path, timeout: timeoutMs } = probe;
    const target = { address, port, path, host: at(host, port), timeoutMs, ...(headers && { headers }) };
    if (probe.type === "http") return httpProbe({ ...target, status: probe.status });
    this.#version ??= packageVersion();
    const report = await mcpProbe({
      ...target,
      clientVersion: this.#version,
      ...this.#known,
    });
    this.#learn(report, path);
    // A server of the legacy era keeps some data for each session, even for one that was closed.
    return { ...report, costly: this.#known.era === "legacy" };
  }
}

/** What a server behind xy's bridge wants of whoever asks it, xy too. */
function authorization({ mcp }: ServerSpec, secrets: SecretValues): Pick<HttpTarget, "headers"> {
  const token = isStdio(mcp) ? own(secrets, TOKEN_VARIABLE) : undefined;
  return token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } };
}

/** What was seen of a listener that is as it should be, and then of what it answers. */
function after({ steps, exposure = "" }: ListenerReport, look: Look): Look {
  return { ...look, evidence: `${look.evidence}${exposure}`, steps: [...steps, ...look.steps] };
}

/** For an address other than the server's own, nobody can say who should listen there. */
async function askElsewhere(
  { port, path, status, timeout: timeoutMs }: Extract<NetworkProbe, { type: "http" }>,
  host: string,
): Promise<Look> {
  const look = await httpProbe({ address: host, port, path, host: at(host, port), status, timeoutMs });
  const place = `http://${at(host, port)}`;
  return {
    ...look,
    evidence: `${place}: ${look.evidence}`,
    steps: look.steps.map((step) => ({ ...step, step: step.step.replace("GET ", `GET ${place}`) })),
  };
}

/** On a busy machine, an exchange may take long: each message may start a process. */
function withHelp(look: Look, probe: NetworkProbe, { liveness }: ServerSpec): Look {
  const help = look.ok
    ? ""
    : timeoutHelp(look.evidence, probe === liveness ? "liveness" : "readiness", probe.timeout);
  return help === "" ? look : { ...look, evidence: `${look.evidence}; ${help}` };
}
