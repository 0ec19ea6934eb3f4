import { EventEmitter, once } from "node:events";
import type { Transition } from "../../model/observed.ts";

/** Tells others what happens to one program, and lets them wait for it. */
export class Changes {
  readonly #emitter = new EventEmitter();

  constructor() {
    // Many may wait for one program at once: an apply, commands, dependents.
    this.#emitter.setMaxListeners(0);
  }

  /** Something changed: everyone who waits checks again. */
  changed(): void {
    this.#emitter.emit("change");
  }

  transition(transition: Transition): void {
    this.#emitter.emit("transition", transition);
  }

  /** It is forgotten: ends every wait and every followed log. */
  removed(): void {
    this.#emitter.emit("change");
    this.#emitter.emit("removed");
  }

  /** Settles with true when the condition holds, or with false after `timeoutMs` or when the signal aborts. */
  async until(condition: () => boolean, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    // A timer of our own: Node 20 collects a timeout signal that only AbortSignal.any holds, and it never fires.
    const bound = new AbortController();
    const timer = setTimeout(() => bound.abort(), timeoutMs);
    const either = signal ? AbortSignal.any([bound.signal, signal]) : bound.signal;
    try {
      while (!condition()) {
        if (either.aborted) return false;
        await once(this.#emitter, "change", { signal: either }).catch(() => undefined);
      }
      return true;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Calls back at each change of the public state. Returns how to undo that. */
  onTransition(callback: (transition: Transition) => void): () => void {
    this.#emitter.on("transition", callback);
    return () => this.#emitter.off("transition", callback);
  }

  /** Calls back after each event. Returns how to undo that. */
  onChange(callback: () => void): () => void {
    this.#emitter.on("change", callback);
    return () => this.#emitter.off("change", callback);
  }

  /** Calls back when the program is forgotten. Returns how to undo that. */
  onRemoved(callback: () => void): () => void {
    this.#emitter.once("removed", callback);
    return () => this.#emitter.off("removed", callback);
  }
}
