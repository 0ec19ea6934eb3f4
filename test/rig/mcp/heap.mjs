/** Imported into a server of the tests (`node --expose-gc --import`): answers each message with what it keeps, in bytes. */
process.on("message", () => {
  // Twice: what a finalizer lets go is collected the second time.
  gc();
  gc();
  process.send(process.memoryUsage());
});
// The listener alone is no reason to live on.
process.channel?.unref();
