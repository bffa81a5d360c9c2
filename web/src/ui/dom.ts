// Making elements. Text is always set as text: nothing from a server is ever parsed as HTML.

export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`no element #${id}`);
  return element as T;
}

type Child = Node | string | null;

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K, attributes: Record<string, string> = {}, ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  for (const child of children) if (child !== null) element.append(child);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag: string, attributes: Record<string, string | number>, ...children: Child[]): SVGElement {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  for (const child of children) if (child !== null) element.append(child);
  return element;
}

/** Sets text only when it differs, so that the browser has nothing to lay out again. */
export function setText(node: HTMLElement, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** The same of a text that may be cut off where it is shown: all of it is said on hovering. */
export function setCutText(node: HTMLElement, text: string): void {
  setText(node, text);
  if (node.title !== text) node.title = text;
}

export interface Chip {
  key: string;
  label: string;
}

/** A group of buttons of which one is pressed; returns a function that presses one. */
export function chips(parent: HTMLElement, options: readonly Chip[], onChange: (key: string) => void): (key: string) => void {
  const buttons = options.map((option) => {
    const button = el("button", { type: "button", class: "chip", "data-key": option.key }, option.label);
    button.addEventListener("click", () => {
      press(option.key);
      onChange(option.key);
    });
    return button;
  });
  const press = (key: string): void => {
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.key === key));
  };
  parent.replaceChildren(...buttons);
  press(options[0]?.key ?? "");
  return press;
}
