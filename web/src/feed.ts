// The WebSocket feed: connects, reconnects with growing pauses, and notices a silent connection.
import { decodeFeed, type FeedMessage } from "./protocol.ts";

export type Connection =
  | { state: "connecting" }
  | { state: "live" }
  | { state: "waiting"; retryAt: number };

export interface FeedEvents {
  message(message: FeedMessage): void;
  connection(connection: Connection): void;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
/** The server speaks about once a second; after this much silence the connection counts as dead. */
const SILENCE_MS = 15_000;

/** The pause before attempt number `attempt` (from 0); `random` in [0, 1) spreads clients apart. */
export function reconnectPause(attempt: number, random: number): number {
  const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempt, 10));
  return Math.round(pause * (0.75 + 0.5 * random));
}

export class Feed {
  private socket: WebSocket | null = null;
  private attempt = 0;
  private lastHeard = 0;
  private timer = 0;
  private watchdog = 0;

  constructor(private readonly url: string, private readonly events: FeedEvents) {}

  open(): void {
    clearTimeout(this.timer);
    this.events.connection({ state: "connecting" });
    const socket = new WebSocket(this.url);
    this.socket = socket;
    this.lastHeard = Date.now();
    socket.onmessage = (event) => this.heard(socket, event);
    socket.onclose = () => this.closed(socket);
    clearInterval(this.watchdog);
    this.watchdog = window.setInterval(() => {
      if (Date.now() - this.lastHeard > SILENCE_MS) this.abandon(socket);
    }, 2000);
  }

  /** Sends if connected; what cannot be sent now is of no use later. */
  send(value: unknown): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(value));
  }

  private heard(socket: WebSocket, event: MessageEvent): void {
    if (socket !== this.socket) return;
    this.lastHeard = Date.now();
    if (typeof event.data !== "string") return;
    const message = decodeFeed(event.data);
    if (message === null) return;
    if (message.type === "snapshot") {
      this.attempt = 0;
      this.events.connection({ state: "live" });
    }
    this.events.message(message);
  }

  private abandon(socket: WebSocket): void {
    socket.close();
    this.closed(socket);
  }

  private closed(socket: WebSocket): void {
    if (socket !== this.socket) return;
    this.socket = null;
    clearInterval(this.watchdog);
    const pause = reconnectPause(this.attempt++, Math.random());
    this.events.connection({ state: "waiting", retryAt: Date.now() + pause });
    this.timer = window.setTimeout(() => this.open(), pause);
  }
}
