/** As long as this an answer may take before it is asked for as a job. */
export const PATIENCE_MS = 5_000;

/**
 * What `ask` answers within the time; after it `ask` is stopped, and the answer is that of `askOn`. `signal` stops
 * whichever of them runs.
 */
export async function askPatiently<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  askOn: () => Promise<T>,
  signal: AbortSignal,
  patience: AbortSignal = AbortSignal.timeout(PATIENCE_MS),
): Promise<T> {
  try {
    return await ask(AbortSignal.any([signal, patience]));
  } catch (error) {
    if (!patience.aborted || signal.aborted) throw error;
    return askOn();
  }
}
