import type { ProbeReport, ProbeStep } from "../model/probe-report.ts";

/** Writes down what one look does, step by step. */
export class Steps {
  readonly #steps: ProbeStep[] = [];
  #at = performance.now();

  /** The step that was just done. */
  add(step: string, ok: boolean, detail: string): void {
    const now = performance.now();
    this.#steps.push({ step, ok, detail, ms: Math.round(now - this.#at) });
    this.#at = now;
  }

  passed(step: string, detail: string): void {
    this.add(step, true, detail);
  }

  /** The whole look, with a good last step. */
  good(step: string, evidence: string): ProbeReport {
    this.add(step, true, evidence);
    return { ok: true, evidence, steps: this.#steps };
  }

  /** The whole look, that ended with this step. */
  bad(step: string, evidence: string): ProbeReport {
    this.add(step, false, evidence);
    return { ok: false, evidence, steps: this.#steps };
  }
}
