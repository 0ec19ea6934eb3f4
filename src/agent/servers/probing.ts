import type { BridgeFacts } from "../../model/bridge-facts.ts";
import { isBridged } from "../../model/launch.ts";
import type { Verdict } from "../../model/observed.ts";
import type { McpFacts, ProbeReport } from "../../model/probe-report.ts";
import type { Redactor } from "../../model/redact.ts";
import type { ServerSpec } from "../../model/spec.ts";
import type { Probe, SecretValues } from "../../model/spec-parts.ts";
import type { ProbeName } from "../../supervisor/machine.ts";
import type { Answer } from "../../supervisor/probes.ts";
import type { LogWriter } from "../logs/log-writer.ts";
import type { Incarnation } from "../runs/incarnation.ts";
import { Watch } from "./watch.ts";

/** The server whose probes are run. */
interface Probed {
  readonly spec: ServerSpec;
  readonly secrets: SecretValues;
  readonly log: LogWriter;
  readonly redactor: Redactor;
}

/** What the probes of a server's live process have found, and the watch that runs them. */
export class Probing {
  readonly #server: Probed;
  readonly #report: (message: string) => void;
  #watch: Watch | undefined;
  #mcp: McpFacts | undefined;
  #bridge: BridgeFacts | undefined;
  /** The verdicts of probes that a person ran. */
  readonly #found = new Map<ProbeName, Verdict>();

  constructor(server: Probed, report: (message: string) => void) {
    this.#server = server;
    this.#report = report;
  }

  /** Runs the probes of the live process; undefined while there is none. */
  get watch(): Watch | undefined {
    return this.#watch;
  }
  /** What the live process said about itself. */
  get mcp(): McpFacts | undefined {
    return this.#mcp;
  }

  /** Of a server over stdin and stdout: who uses it, as its bridge told last. */
  get bridge(): BridgeFacts | undefined {
    return this.#bridge;
  }

  /** Asks its bridge, if it has one, so that what is shown is what is so now. Never rejects. */
  async askBridge(): Promise<void> {
    const { spec, secrets } = this.#server;
    const watch = this.#watch;
    if (watch === undefined || !isBridged(spec)) return;
    const report = await watch.askBridge(spec, secrets);
    if (report?.bridge === undefined || watch !== this.#watch) return;
    // Whether the server works is told with it.
    if (spec.readiness.type === "mcp") this.note("readiness", this.redacted(report), { spec, watch });
    else this.#keep(report.bridge);
  }

  /** What is shown of a look: text that the server, its clients and its probes choose. */
  redacted(report: ProbeReport): ProbeReport {
    const { redactor } = this.#server;
    return {
      ...report,
      ...(report.mcp && { mcp: redactor.facts(report.mcp) }),
      steps: report.steps.map((step) => ({ ...step, detail: redactor.evidence(step.detail) })),
      evidence: redactor.evidence(report.evidence),
      ...(report.bridge && { bridge: redactor.bridge(report.bridge) }),
    };
  }

  /** Watches this incarnation from now on, or none. `since`: unix ms, before its first line of output. */
  follow(incarnation: Incarnation | undefined, since: number): void {
    this.#watch?.close();
    this.#watch = incarnation && new Watch(incarnation, this.#server.log, since, this.#report);
    this.#found.clear();
    this.#bridge = undefined;
    if (incarnation === undefined) this.#mcp = undefined;
  }

  /** There is a new spec: what a person's probe found no longer counts. */
  forgetFound(): void {
    this.#found.clear();
  }

  close(): void {
    this.#watch?.close();
  }

  /** The newest verdict, which may be that of a person's probe: it is shown until the next one, and decides nothing. */
  newest(probe: ProbeName, { verdict }: { readonly verdict: Verdict }): Verdict {
    const found = this.#found.get(probe);
    return found !== undefined && found.at >= verdict.at ? found : verdict;
  }

  /** A person ran a probe. `asked`: with which spec, and through which watch. */
  note(
    probe: ProbeName,
    { ok, evidence, mcp, bridge }: ProbeReport,
    asked: { readonly spec: ServerSpec; readonly watch: Watch },
  ): void {
    if (asked.watch !== this.#watch || asked.spec !== this.#server.spec) return;
    if (mcp) this.#mcp = mcp;
    if (bridge) this.#keep(bridge);
    this.#found.set(probe, { status: ok ? "ok" : "failing", evidence, at: Date.now() });
  }

  /** Runs a probe for the state machine. Without a process there is nothing to probe, and the exit is reported anyway. */
  ask(name: ProbeName, isCurrent: () => boolean, answered: (answer: Answer) => void): void {
    const { spec, secrets, redactor } = this.#server;
    void this.#watch?.ask({ spec, secrets, probe: spec[name] }, (look) => {
      // A new spec asks again: an answer to the old question must not count as an answer to the new one.
      if (spec !== this.#server.spec) return;
      const { ok, evidence, costly, mcp, bridge, unknowable } = look;
      if (isCurrent() && mcp) this.#mcp = redactor.facts(mcp);
      if (isCurrent() && bridge) this.#keep(bridge);
      answered({
        ok,
        evidence: redactor.evidence(evidence),
        ...(costly ? { costly } : {}),
        ...(unknowable ? { unknowable } : {}),
      });
    });
  }

  #keep(facts: BridgeFacts): void {
    this.#bridge = this.#server.redactor.bridge(facts);
  }

  /** Settles when the probe that is running now has been answered; undefined without a process. */
  answerTo(probe: Probe): Promise<void> | undefined {
    return this.#watch?.answerTo(probe);
  }

  /** The line among the last output that matches, as evidence; undefined without a process. */
  lastLook(pattern: string): Promise<string | undefined> | undefined {
    const { redactor } = this.#server;
    return this.#watch
      ?.lastLook(pattern)
      .then((line) => (line === undefined ? undefined : redactor.evidence(line)));
  }
}
