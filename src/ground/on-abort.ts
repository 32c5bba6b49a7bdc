/** Who waits for which signal to fire, in the order of their calls. */
const listenersOf = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `listener` when the signal fires, unless what is returned is called before. Listens once to a signal, however
 * many ask: to add a listener, a signal looks at all that it has, so thousands of them would take quadratic time.
 */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (signal === undefined) return () => {};
  const listeners = listenersOf.get(signal) ?? listenTo(signal);
  listeners.add(listener);
  return () => {
    if (listeners.delete(listener) && listeners.size === 0) stopListening(signal);
  };
}

function listenTo(signal: AbortSignal): Set<() => void> {
  const listeners = new Set<() => void>();
  listenersOf.set(signal, listeners);
  signal.addEventListener('abort', fire);
  return listeners;
}

/** A signal that somebody listens to is kept alive with all that it hangs on. */
function stopListening(signal: AbortSignal): void {
  listenersOf.delete(signal);
  signal.removeEventListener('abort', fire);
}

function fire(this: AbortSignal): void {
  for (const listener of listenersOf.get(this) ?? []) listener();
  stopListening(this);
}
