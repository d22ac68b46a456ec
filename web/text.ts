// SPDX-License-Identifier: MIT
// text.ts: numbers and times as people say them, and the words for roles and messages.

import { setText } from "./dom";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** 1 message, 2 messages. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
}

/** A duration in its largest unit: "3 h", "2 days". */
export function duration(ms: number): string {
  if (ms < MINUTE) return "under a minute";
  if (ms < HOUR) return `${Math.round(ms / MINUTE)} min`;
  if (ms < 2 * DAY) return `${Math.round(ms / HOUR)} h`;
  return `${Math.round(ms / DAY)} days`;
}

/** A moment as a <time>: what it is relative to now, with the full date behind it. */
export function moment(at: number): HTMLTimeElement {
  const element = document.createElement("time");
  const date = new Date(at);
  element.dateTime = date.toISOString();
  element.title = date.toLocaleString();
  element.textContent = relative(at - Date.now());
  return element;
}

/** Says of each moment below an element what it is by now. */
export function refreshMoments(element: Element): void {
  for (const time of element.querySelectorAll("time")) {
    setText(time, relative(Date.parse(time.dateTime) - Date.now()));
  }
}

export function relative(ms: number): string {
  const format = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  const size = Math.abs(ms);
  if (size < MINUTE) return ms > 0 ? "in a moment" : "just now";
  if (size < HOUR) return format.format(Math.round(ms / MINUTE), "minute");
  if (size < DAY) return format.format(Math.round(ms / HOUR), "hour");
  return format.format(Math.round(ms / DAY), "day");
}

/** As a sentence begins; a name stays as it is. */
export function capital(words: string): string {
  return words.includes(" ") ? words.charAt(0).toUpperCase() + words.slice(1) : words;
}

/** A problem as one sentence for people. */
export function sentence(error: unknown): string {
  if (!(error instanceof Error)) return "Something went wrong.";
  const text = error.message;
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}
