/**
 * Calls `onGone` once when the process that started this one has ended: its children then get another parent.
 * A change is looked for, not parent 1: in a container the host itself may be process 1. go-plugin does not do
 * this, so a Go plugin outlives a killed host.
 *
 * @param pollMs how often to look
 * @param parentId reads the parent's id; `process.ppid` unless a test says otherwise
 *
 * Returns the function that ends the watch. The timer does not keep the process alive.
 */
export function watchParent(
  onGone: () => void,
  pollMs = 1000,
  parentId: () => number = () => process.ppid,
): () => void {
  const first = parentId();
  const timer = setInterval(() => {
    if (parentId() === first) return;
    clearInterval(timer);
    onGone();
  }, pollMs);
  timer.unref();
  return () => clearInterval(timer);
}
