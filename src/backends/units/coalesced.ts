/**
 * Work that one run of can do for many callers, such as a manager's reload. A caller that comes during a run gets the
 * next one, since the current run may have begun too early for it.
 */
export class Coalesced<Request, Result> {
  readonly #work: (requests: readonly Request[]) => Promise<Result>;
  #running: Promise<unknown> | undefined;
  #next: { readonly requests: Request[]; readonly result: Promise<Result> } | undefined;

  constructor(work: (requests: readonly Request[]) => Promise<Result>) {
    this.#work = work;
  }

  ask(request: Request): Promise<Result> {
    if (this.#next) {
      this.#next.requests.push(request);
      return this.#next.result;
    }
    const requests = [request];
    const before = this.#running ?? Promise.resolve();
    const result = before.then(() => {
      this.#next = undefined;
      const run = this.#work(requests);
      const over = run.then(
        () => undefined,
        () => undefined,
      );
      this.#running = over;
      void over.then(() => {
        if (this.#running === over) this.#running = undefined;
      });
      return run;
    });
    this.#next = { requests, result };
    return result;
  }
}
