/** Loaded into an operator process with --expose-gc: answers each message of its parent with what the process holds. */
process.on('message', () => {
  globalThis.gc?.();
  const resources = process.getActiveResourcesInfo();
  const count = (pattern: RegExp): number => resources.filter((name) => pattern.test(name)).length;
  process.send?.({
    heap: process.memoryUsage().heapUsed,
    sockets: count(/^(TCPSocketWrap|TLSWrap)$/),
    timers: count(/^Timeout$/),
  });
});
// What waits for messages must not keep the operator from ending.
process.channel?.unref();
