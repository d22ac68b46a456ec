// SPDX-License-Identifier: MIT
// tree.ts: the roles of the organisation as a tree that stays quick with thousands of them: what is closed is
// not in the page, long lists come in pieces, and a refresh changes texts in place, so nothing moves under
// the pointer.

import type { Role } from "./api";
import { add, el, replace, setText } from "./dom";
import { count, duration } from "./text";

/** Rows of one team, or of a search, that are shown before "Show more". */
const PIECE = 100;
/** A tree with at most this many roles is opened whole at first. */
const OPEN_ALL_MAX = 40;

interface Row {
  item: HTMLLIElement;
  name: HTMLElement;
  owner: HTMLElement;
  load: HTMLElement;
  detail: HTMLElement | null;
  children: HTMLUListElement | null;
  shown: number;
}

export class Tree {
  readonly element: HTMLElement;
  private readonly list = el("ul", { class: "tree" });
  private readonly summary = el("p", { class: "hint" });
  private readonly filter = el("input", {
    type: "search",
    placeholder: "Find a role or an owner",
    autocomplete: "off",
    spellcheck: "false",
    "aria-label": "Find a role or an owner",
  });
  private roles = new Map<string, Role>();
  private children = new Map<string, Role[]>();
  private waiting = new Map<string, number>();
  private rows = new Map<string, Row>();
  private open = new Set<string>();
  private chosen = "";
  private shape = "";
  private started = false;
  private searchShown = PIECE;

  constructor(private readonly write: (role: string) => void) {
    let timer = 0;
    this.filter.addEventListener("input", () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => {
        this.searchShown = PIECE;
        this.draw();
      }, 80);
    });
    this.element = el(
      "section",
      { class: "panel roles", "aria-labelledby": "roles-title", id: "roles" },
      el("h2", { id: "roles-title" }, "Roles"),
      this.filter,
      this.summary,
      this.list,
    );
  }

  /** Takes the roles as they are now. Draws anew only when there are others than before. */
  update(roles: Role[]): void {
    const shape = roles.map((role) => `${role.name}<${role.parent ?? ""}`).join("|");
    this.roles = new Map(roles.map((role) => [role.name, role]));
    this.count(roles);
    if (!this.started) {
      this.started = true;
      for (const role of roles) {
        if (role.parent === null || roles.length <= OPEN_ALL_MAX) this.open.add(role.name);
      }
    }
    if (shape !== this.shape) {
      this.shape = shape;
      this.children.clear();
      for (const role of roles) {
        const key = role.parent !== null && this.roles.has(role.parent) ? role.parent : "";
        const siblings = this.children.get(key);
        if (siblings) siblings.push(role);
        else this.children.set(key, [role]);
      }
      this.draw();
    } else {
      for (const [name, row] of this.rows) {
        const role = this.roles.get(name);
        if (role) this.fill(row, role);
      }
    }
  }

  names(): string[] {
    return [...this.roles.keys()];
  }

  /** What waits in each team and below, so that a closed team shows it. Children come after their parents. */
  private count(roles: Role[]): void {
    this.waiting.clear();
    let vacant = 0;
    let waiting = 0;
    for (let i = roles.length - 1; i >= 0; i--) {
      const role = roles[i] as Role;
      const sum = (this.waiting.get(role.name) ?? 0) + role.queued;
      this.waiting.set(role.name, sum);
      if (role.parent !== null) this.waiting.set(role.parent, (this.waiting.get(role.parent) ?? 0) + sum);
      waiting += role.queued;
      vacant += role.vacant ? 1 : 0;
    }
    const vacancies = vacant > 0 ? `, ${vacant} vacant` : "";
    setText(this.summary, `${count(roles.length, "role")}${vacancies}, ${count(waiting, "message")} waiting`);
  }

  private draw(): void {
    this.rows.clear();
    const words = this.filter.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length > 0) {
      this.drawFound(words);
      return;
    }
    replace(this.list, ...(this.children.get("") ?? []).map((role) => this.row(role, false)));
  }

  private drawFound(words: string[]): void {
    const found: Role[] = [];
    for (const role of this.roles.values()) {
      const text = `${role.name} ${role.holders.join(" ")}${role.vacant ? " vacant" : ""}`.toLowerCase();
      if (words.every((word) => text.includes(word))) found.push(role);
    }
    replace(this.list, ...found.slice(0, this.searchShown).map((role) => this.row(role, true)));
    if (found.length === 0) add(this.list, el("li", { class: "empty" }, "No role has these words."));
    this.more(this.list, found.length - this.searchShown, () => {
      this.searchShown += PIECE;
      this.draw();
    });
  }

  private more(list: HTMLUListElement, left: number, show: () => void): void {
    if (left <= 0) return;
    const text = `Show ${Math.min(left, PIECE)} more of ${left}`;
    const button = el("button", { type: "button", class: "quiet", onclick: show }, text);
    add(list, el("li", { class: "more" }, button));
  }

  private row(role: Role, flat: boolean): HTMLLIElement {
    const nested = !flat && this.children.has(role.name);
    const row: Row = {
      item: el("li", { class: role.team ? "team" : "role" }),
      name: el("span", { class: "name" }),
      owner: el("span", { class: "owner" }),
      load: el("span", { class: "load" }),
      detail: null,
      children: null,
      shown: PIECE,
    };
    this.rows.set(role.name, row);
    const isOpen = nested ? this.open.has(role.name) : this.chosen === role.name;
    const button = el(
      "button",
      { type: "button", class: "row", "aria-expanded": String(isOpen) },
      el("span", { class: nested ? "arrow" : "dot", "aria-hidden": "true" }),
      row.name,
      row.owner,
      row.load,
    );
    button.addEventListener("click", () => {
      if (nested) this.toggle(role.name, row, button);
      else this.choose(role.name, row, button);
    });
    add(row.item, nested ? el("div", { class: "line" }, button, this.about(role.name, row)) : button);
    if (isOpen && nested) this.unfold(role.name, row);
    if (isOpen && !nested) this.detail(role.name, row);
    this.fill(row, role, flat);
    return row.item;
  }

  private fill(row: Row, role: Role, flat = this.filter.value.trim() !== ""): void {
    const short = !flat && role.parent !== null ? shortName(role.name, role.parent) : role.name;
    setText(row.name, short);
    const owner = role.vacant ? "vacant" : (role.holder ?? (role.team ? "" : "nobody present"));
    row.owner.classList.toggle("vacant", role.vacant);
    setText(row.owner, owner);
    const isClosedTeam = this.children.has(role.name) && !this.open.has(role.name) && !flat;
    const waiting = isClosedTeam ? (this.waiting.get(role.name) ?? 0) : role.queued;
    row.load.classList.toggle("some", waiting > 0);
    row.load.classList.toggle("full", role.capacity > 0 && role.occupied >= role.capacity);
    setText(row.load, waiting > 0 || role.held > 0 ? load(waiting, role.held) : "");
    if (row.detail) this.fillDetail(row.detail, role);
  }

  private toggle(name: string, row: Row, button: HTMLButtonElement): void {
    const opens = !this.open.has(name);
    if (opens) this.open.add(name);
    else this.open.delete(name);
    button.setAttribute("aria-expanded", String(opens));
    if (opens) {
      this.unfold(name, row);
    } else {
      row.children?.remove();
      row.children = null;
    }
    const role = this.roles.get(name);
    if (role) this.fill(row, role);
  }

  private unfold(name: string, row: Row): void {
    const list = row.children ?? el("ul", {});
    const all = this.children.get(name) ?? [];
    list.replaceChildren();
    add(list, ...all.slice(0, row.shown).map((child) => this.row(child, false)));
    this.more(list, all.length - row.shown, () => {
      row.shown += PIECE;
      this.unfold(name, row);
    });
    row.children = list;
    add(row.item, list);
  }

  /** A team's row opens the team; what the team itself is stands behind a button of its own. */
  private about(name: string, row: Row): HTMLButtonElement {
    const button = el("button", { type: "button", class: "about", "aria-label": `About ${name}` }, "⋯");
    button.setAttribute("aria-expanded", "false");
    button.addEventListener("click", () => this.choose(name, row, button));
    return button;
  }

  private choose(name: string, row: Row, button: HTMLButtonElement): void {
    if (row.detail) {
      row.detail.remove();
      row.detail = null;
      this.chosen = "";
    } else {
      this.chosen = name;
      this.detail(name, row);
      const role = this.roles.get(name);
      if (role) this.fill(row, role);
    }
    button.setAttribute("aria-expanded", String(row.detail !== null));
  }

  private detail(name: string, row: Row): void {
    row.detail = el("div", { class: "detail" });
    row.item.insertBefore(row.detail, row.children);
    const facts = el("dl");
    const write = el("button", { type: "button", class: "quiet" }, "Write to this role");
    write.addEventListener("click", () => this.write(name));
    add(row.detail, facts, write);
  }

  private fillDetail(detail: HTMLElement, role: Role): void {
    const facts: [string, string][] = [];
    if (role.holders.length > 0) facts.push(["Owner", role.holders[0] as string]);
    if (role.holders.length > 1) facts.push(["Deputies", role.holders.slice(1).join(", ")]);
    if (role.supervisor) facts.push(["Supervisor", role.supervisor]);
    const waits = count(role.queued, "message");
    const taken = `${role.occupied.toLocaleString("en")} of ${role.capacity.toLocaleString("en")} taken`;
    const hasAge = role.oldest_ms !== undefined && role.queued > 0;
    facts.push(["Queue", hasAge ? `${waits}, the oldest for ${duration(role.oldest_ms as number)}` : waits]);
    facts.push(["Places", taken]);
    if (role.held > 0) facts.push(["On hold", count(role.held, "message")]);
    if (role.quarantined > 0) facts.push(["Set aside", count(role.quarantined, "message")]);
    if (role.done > 0) facts.push(["Done", count(role.done, "message")]);
    const list = detail.firstElementChild as HTMLElement;
    const text = facts.flat().join("\n");
    if (list.dataset["text"] === text) return;
    list.dataset["text"] = text;
    replace(list, ...facts.flatMap(([term, value]) => [el("dt", {}, term), el("dd", {}, value)]));
  }
}

/** Below its parent a role needs only the rest of its name. */
function shortName(name: string, parent: string): string {
  return name.startsWith(`${parent}/`) ? name.slice(parent.length + 1) : name;
}

function load(waiting: number, held: number): string {
  const parts: string[] = [];
  if (waiting > 0) parts.push(`${waiting.toLocaleString("en")} waiting`);
  if (held > 0) parts.push(`${held.toLocaleString("en")} held`);
  return parts.join(", ");
}
