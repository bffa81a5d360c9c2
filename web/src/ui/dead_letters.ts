// The list of rejected positions, opened from its counter.
import { formatTime, NONE } from "../format.ts";
import type { DeadLetter } from "../protocol.ts";
import { byId, el } from "./dom.ts";

export class DeadLetterDialog {
  private readonly dialog = byId<HTMLDialogElement>("dead-letters");
  private readonly body = el("div", { class: "dialog-body" });

  constructor(private readonly load: () => Promise<DeadLetter[]>, private readonly now: () => number) {
    const close = el("button", { type: "button", class: "close", "aria-label": "Close" }, "×");
    close.addEventListener("click", () => this.dialog.close());
    this.dialog.append(
      el("div", { class: "dialog-head" }, el("h2", { id: "dead-letters-title" }, "Dead letters"), close), this.body);
    this.dialog.addEventListener("click", (event) => {
      if (event.target === this.dialog) this.dialog.close();
    });
  }

  async open(): Promise<void> {
    this.body.replaceChildren(el("p", { class: "quiet" }, "Loading"));
    this.dialog.showModal();
    try {
      const letters = await this.load();
      this.body.replaceChildren(letters.length === 0 ? el("p", { class: "quiet" }, "Nothing was rejected.") : this.table(letters));
    } catch {
      this.body.replaceChildren(el("p", { class: "quiet" }, "The list cannot be loaded now."));
    }
  }

  private table(letters: readonly DeadLetter[]): HTMLElement {
    const head = el("tr", {}, ...["Received", "Time of the fix", "Vehicle", "Rule", "Reason", "Record"].map((name) => el("th", { scope: "col" }, name)));
    const now = this.now();
    const time = (epochMs: number | null): string => (epochMs === null ? NONE : formatTime(epochMs, now));
    const rows = letters.map((letter) => el("tr", {},
      el("td", {}, time(letter.receivedAt)),
      el("td", {}, time(letter.timestamp)),
      el("td", {}, letter.vehicleId ?? NONE),
      el("td", {}, el("code", {}, letter.rule)),
      el("td", {}, letter.message),
      el("td", { title: letter.payload }, `${letter.topic}-${letter.partition}@${letter.offset}`)));
    return el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows));
  }
}
