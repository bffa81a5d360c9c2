// What time it is on the server, by whose times fixes are old or new: the clock of this machine may be wrong.

/** Below this the two clocks are as good as the same; a message on its way is not a difference of clocks. */
const TOLERANCE_MS = 2_000;

export class ServerClock {
  private ahead = 0;

  /** The server said what time it was, just now; both are epoch ms. */
  heard(serverNow: number, now: number): void {
    const ahead = serverNow - now;
    this.ahead = Math.abs(ahead) < TOLERANCE_MS ? 0 : ahead;
  }

  /** epoch ms */
  now(local = Date.now()): number {
    return local + this.ahead;
  }
}
