// SPDX-License-Identifier: MIT
// dom.ts: making and changing elements. Whatever comes from the server becomes a text node here and nothing
// else: there is no innerHTML in the page, so a message cannot become markup.

type Child = Node | string | null | undefined | false;
type Properties = Record<string, string | boolean | ((event: Event) => void) | undefined>;

/** Makes an element: texts and booleans become attributes, functions listeners ("onclick"). */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(name.replace(/^on/, ""), value);
    else if (value === true) element.setAttribute(name, "");
    else if (typeof value === "string") element.setAttribute(name, value);
  }
  add(element, ...children);
  return element;
}

export function add(element: Element, ...children: Child[]): void {
  for (const child of children) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
}

export function replace(element: Element, ...children: Child[]): void {
  element.replaceChildren();
  add(element, ...children);
}

/** Changes a text only when it differs: a quiet refresh must not move a selection or wake a screen reader. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

let fieldCount = 0;

/** A label with its control and, below it, a hint. */
export function field(label: string, control: HTMLElement, hint?: string): HTMLElement {
  control.id = control.id || `field-${++fieldCount}`;
  const parts: Child[] = [el("label", { for: control.id }, label), control];
  if (hint) {
    const id = `${control.id}-hint`;
    control.setAttribute("aria-describedby", id);
    parts.push(el("p", { class: "hint", id }, hint));
  }
  return el("div", { class: "field" }, ...parts);
}

/** A field for the name of a role or an actor: no capitals, no corrections; `list` names the suggestions. */
export function nameInput(properties: Properties): HTMLInputElement {
  return el("input", { autocomplete: "off", spellcheck: "false", autocapitalize: "none", ...properties });
}

/** Says something to those who listen to the page instead of looking at it. */
export function announce(text: string): void {
  const place = document.getElementById("status");
  if (place) place.textContent = text;
}

/** Runs what a button started: once at a time, with the button shown as busy meanwhile. */
export async function busy(button: HTMLButtonElement, work: () => Promise<void>): Promise<void> {
  if (button.disabled) return;
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  try {
    await work();
  } finally {
    button.disabled = false;
    button.removeAttribute("aria-busy");
  }
}

/** A place for one notice: good news or a problem. */
export class Notice {
  readonly element = el("div", { class: "notice", hidden: true, role: "status" });

  show(kind: "good" | "bad", ...children: Child[]): void {
    this.element.className = `notice ${kind}`;
    this.element.setAttribute("role", kind === "bad" ? "alert" : "status");
    replace(this.element, ...children);
    this.element.hidden = false;
  }

  clear(): void {
    this.element.hidden = true;
    this.element.replaceChildren();
  }
}
