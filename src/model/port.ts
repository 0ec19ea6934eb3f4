/** What may be said of a port: a number, that one is chosen, or that there is none. */
type WrittenPort = number | "auto" | "none" | { readonly auto: true; readonly prefer?: number | undefined };

/** One is chosen, and kept. */
export function isAuto(port: WrittenPort): port is Exclude<WrittenPort, number | "none"> {
  return port === "auto" || typeof port === "object";
}

/** The one that is chosen if nobody has it. */
export function preferredPort(port: WrittenPort): number | undefined {
  return typeof port === "object" ? port.prefer : undefined;
}
