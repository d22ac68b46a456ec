// SPDX-License-Identifier: MIT
// alarms.ts: one quiet line below the head, for everybody, while some role has an alarm: nobody holds it, or
// something waits there that nobody can decide or take. It is drawn anew only when it says something else, so
// that a screen reader hears of an alarm once.

import type { Role } from "./api";
import { el, replace } from "./dom";
import { count } from "./text";

/** So many are named; the others are in the list of roles. */
const NAMED_MAX = 3;

function reason(role: Role): string {
  if (role.out_of_order !== undefined) return "it is out of order";
  if (role.vacant) return "nobody holds it";
  return "something waits there that nobody decides or takes";
}

export class Alarms {
  readonly element = el("p", { class: "alarms", hidden: true, role: "status" });
  private said = "";

  update(roles: Role[]): void {
    const alarms = roles.filter((role) => role.alarm);
    const said = alarms.map((role) => `${role.name} ${reason(role)}`).join("\n");
    if (said === this.said) return;
    this.said = said;
    const named = alarms
      .slice(0, NAMED_MAX)
      .flatMap((role, i) => [i > 0 ? ", " : "", el("strong", {}, role.name), ` (${reason(role)})`]);
    const more = alarms.length - NAMED_MAX;
    replace(
      this.element,
      `${count(alarms.length, "role needs", "roles need")} somebody: `,
      ...named,
      more > 0 ? ` and ${more.toLocaleString("en")} more` : "",
      ". ",
      el("a", { href: "#roles" }, "Show the roles"),
    );
    this.element.hidden = alarms.length === 0;
  }
}
