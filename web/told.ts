// SPDX-License-Identifier: MIT
// told.ts: one quiet line below the head when the page is opened: what the last notice told, for whoever
// chose to be told, once. It does not change while the page is looked at; what waits now is in the page.

import { api, type Told } from "./api";
import { el } from "./dom";
import { count, moment } from "./text";

/** The number of the last notice that this browser has shown, for each actor. */
const SEEN_KEY = "troupe.told.";

function urgent(n: number): string {
  return n > 0 ? `, ${n.toLocaleString("en")} urgent` : "";
}

function line(notice: Told): HTMLElement {
  const roles = notice.roles.flatMap((role, i) => [
    i > 0 ? ", " : "",
    el("strong", {}, role.role),
    ` (${count(role.queued, "message")}${urgent(role.urgent)})`,
  ]);
  return el("p", { class: "told", role: "status" }, "What waited ", moment(notice.at), ": ", ...roles, ".");
}

/** The line, or nothing: there was no notice since. That it cannot be had now is no matter. */
export async function lastTold(actor: string): Promise<HTMLElement[]> {
  try {
    const key = SEEN_KEY + actor;
    const { notices, last } = await api.notices();
    const notice = notices[notices.length - 1];
    const isNew = notice !== undefined && notice.number !== Number(localStorage.getItem(key));
    localStorage.setItem(key, String(last));
    return isNew ? [line(notice)] : [];
  } catch {
    return [];
  }
}
