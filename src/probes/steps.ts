import type { ProbeReport, ProbeStep } from "../model/probe-report.ts";

/** Records one look, step by step. */
export class Steps {
  readonly #steps: ProbeStep[] = [];
  #at = performance.now();

  /** The last step so far. */
  add(step: string, ok: boolean, detail: string): void {
    const now = performance.now();
    this.#steps.push({ step, ok, detail, ms: Math.round(now - this.#at) });
    this.#at = now;
  }

  passed(step: string, detail: string): void {
    this.add(step, true, detail);
  }

  /** The result of the look, after a good last step. */
  good(step: string, evidence: string): ProbeReport {
    this.add(step, true, evidence);
    return { ok: true, evidence, steps: this.#steps };
  }

  /** The result of the look, which this step ended. */
  bad(step: string, evidence: string): ProbeReport {
    this.add(step, false, evidence);
    return { ok: false, evidence, steps: this.#steps };
  }
}
