// What an empty system says: how the first position gets in.
import { byId, el } from "./dom.ts";

/** The command that posts a position to the server of this page. Quotes are for a POSIX shell. */
export function exampleCommand(origin: string, now: Date): string {
  const position = { vehicleId: "V123", lat: 52.23, lon: 21.01, speed: 40, heading: 90, timestamp: now.toISOString() };
  return `curl ${origin}/api/v1/positions -d '${JSON.stringify(position)}'`;
}

export class EmptyState {
  private readonly root = byId("empty");
  private readonly command = el("code", { tabindex: "0" });
  private readonly copy = el("button", { type: "button", class: "button" }, "Copy");

  constructor(private readonly origin: string) {
    this.copy.addEventListener("click", () => void this.copied());
    this.root.append(
      el("h2", {}, "No vehicles yet"),
      el("p", {}, "Everything is running and waits for positions. Post the first one from a terminal, and it appears here:"),
      el("pre", {}, this.command),
      el("div", { class: "empty-actions" }, this.copy,
        el("p", {}, "A whole recording: ", el("code", {}, `muir vts replay FILE --url ${origin}`))),
    );
  }

  show(on: boolean): void {
    if (this.root.hidden !== on) return;
    this.root.hidden = !on;
    if (on) this.command.textContent = exampleCommand(this.origin, new Date());
  }

  /** Without HTTPS there may be no clipboard: then the command is selected, to be copied by hand. */
  private async copied(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.command.textContent ?? "");
      this.copy.textContent = "Copied";
    } catch {
      window.getSelection()?.selectAllChildren(this.command);
      this.copy.textContent = "Selected";
    }
    window.setTimeout(() => { this.copy.textContent = "Copy"; }, 2000);
  }
}
