// SPDX-License-Identifier: MIT
// work.ts: one's own work: take the next message, read it, answer it, decline it or pass it on. While a
// message is held the page shows that message and nothing that grows. What is being typed survives every
// refresh.

import { api, type Inbox, type Message } from "./api";
import { announce, busy, el, field, nameInput, Notice, replace } from "./dom";
import { capital, count, moment, refreshMoments, sentence } from "./text";

/** Of what waits, this much is shown. */
const QUEUE_SHOWN = 8;

export class Work {
  readonly element: HTMLElement;
  private readonly place = el("div");
  private readonly notice = new Notice();
  private readonly cards = new Map<string, HTMLElement>();
  private shown = "";

  constructor(private readonly changed: () => Promise<void>) {
    this.element = el(
      "section",
      { class: "panel", id: "work", "aria-labelledby": "work-title" },
      el("h2", { id: "work-title" }, "Your work"),
      this.notice.element,
      this.place,
    );
  }

  /** Shows the state of one's mailboxes. Cards of messages that are still held stay as they are. */
  update(inbox: Inbox): void {
    const held = inbox.held.map((message) => message.id);
    const queued = inbox.queued.map((message) => message.id);
    const shown = held.length > 0 ? held.join() : `none:${queued.join()}:${inbox.total}`;
    if (shown === this.shown) {
      refreshMoments(this.place);
      return;
    }
    this.shown = shown;
    for (const id of [...this.cards.keys()]) {
      if (!held.includes(id)) this.cards.delete(id);
    }
    if (held.length > 0) replace(this.place, ...inbox.held.map((message) => this.cardOf(message)));
    else replace(this.place, ...this.empty(inbox));
  }

  private empty(inbox: Inbox): HTMLElement[] {
    const parts: HTMLElement[] = [];
    const button = el("button", { type: "button", class: "main large" }, "Take the next message");
    button.addEventListener("click", () => void busy(button, () => this.take()));
    const verb = inbox.total === 1 ? "waits" : "wait";
    const waits = `${count(inbox.total, "message")} ${verb} in your mailboxes.`;
    parts.push(el("p", { class: "calm" }, inbox.total === 0 ? "Nothing waits for you." : waits));
    if (inbox.total > 0) {
      parts.push(el("div", { class: "actions" }, button));
      parts.push(queue(inbox));
    }
    return parts;
  }

  private async take(): Promise<void> {
    this.notice.clear();
    try {
      const answer = await api.next();
      if (!answer) this.notice.show("good", "Nothing waits any more.");
      await this.changed();
      if (answer) {
        announce("You hold a message.");
        this.place.querySelector<HTMLElement>("h3")?.focus();
      }
    } catch (error) {
      this.notice.show("bad", sentence(error));
    }
  }

  private cardOf(message: Message): HTMLElement {
    const known = this.cards.get(message.id);
    if (known) return known;
    const card = this.card(message);
    this.cards.set(message.id, card);
    return card;
  }

  private card(message: Message): HTMLElement {
    const notice = new Notice();
    const form = el("div", { class: "answer" });
    this.showAnswer(message, form, notice);
    return el(
      "article",
      { class: "message", "aria-label": message.subject },
      el("h3", { tabindex: "-1" }, message.subject),
      this.facts(message),
      message.note ? el("div", { class: "body note" }, `${noteTitle(message)}\n${message.note}`) : null,
      message.attachments ? el("div", { class: "body note" }, `Attached:\n${message.attachments}`) : null,
      el("div", { class: "body" }, message.body || "(It has no further text.)"),
      form,
      notice.element,
    );
  }

  private facts(message: Message): HTMLElement {
    const facts = el("p", { class: "facts" });
    addClass(facts, message);
    if (message.kind === "answer") {
      const went = message.outcome ? `is ${message.outcome}` : "has ended";
      facts.append(`What you asked ${message.origin?.role ?? "for"} ${went}. Answered by `);
      facts.append(el("b", {}, message.from), ", ", moment(message.sent));
    } else if (message.kind === "escalation") {
      facts.append("Escalated from ", el("b", {}, message.origin?.role ?? ""), " to ");
      facts.append(el("b", {}, message.role), ", ", moment(message.sent));
    } else if (message.kind === "notice") {
      facts.append("About ", el("b", {}, message.from), ", told to ", el("b", {}, message.role), ", ");
      facts.append(moment(message.sent));
    } else {
      facts.append("from ", el("b", {}, message.from), " to ", el("b", {}, message.role), ", sent ");
      facts.append(moment(message.sent));
    }
    if (message.deadline) facts.append(", needed ", moment(message.deadline));
    if (message.hops > 0) facts.append(`, forwarded ${count(message.hops, "time")}`);
    if (message.attempts > 0) facts.append(`, tried ${count(message.attempts, "time")} before`);
    if (message.lease_until) facts.append(". You hold it; it goes back ", moment(message.lease_until), ".");
    return facts;
  }

  /** Ends with the message gone from here: says so, and shows what is next. */
  private async finish(notice: Notice, text: string, work: () => Promise<unknown>): Promise<void> {
    notice.clear();
    try {
      await work();
    } catch (error) {
      notice.show("bad", sentence(error));
      return;
    }
    this.notice.show("good", text);
    announce(text);
    await this.changed();
    this.element.querySelector<HTMLElement>("button.main")?.focus();
  }

  private showAnswer(message: Message, form: HTMLElement, notice: Notice): void {
    if (message.kind === "answer" || message.kind === "notice") {
      this.showRead(message, form, notice);
      return;
    }
    const reply = el("textarea", { rows: "5" });
    const done = el("button", { type: "button", class: "main" }, "Done");
    const finish = () => {
      const text = `Done. ${capital(asker(message))} has your answer.`;
      return this.finish(notice, text, () => api.done(message.id, reply.value.trim()));
    };
    done.addEventListener("click", () => void busy(done, finish));
    const decline = el("button", { type: "button" }, "Decline…");
    decline.addEventListener("click", () => this.showDecline(message, form, notice));
    const forward = el("button", { type: "button" }, "Forward…");
    forward.addEventListener("click", () => this.showForward(message, form, notice));
    const later = el("button", { type: "button" }, "Later…");
    later.addEventListener("click", () => this.showDefer(message, form, notice));
    const fail = el("button", { type: "button" }, "It failed…");
    fail.addEventListener("click", () => this.showFail(message, form, notice));
    const keep = el("button", { type: "button" }, "Keep it longer");
    keep.addEventListener("click", () => void busy(keep, () => this.renew(message, notice)));
    const others = message.kind === "escalation" ? this.resolutions(message, notice) : [forward];
    replace(
      form,
      field("Your reply", reply, `It goes to ${asker(message)}, in the same thread. You may leave it empty.`),
      el("div", { class: "actions" }, done, decline, ...others, later, keep, fail),
    );
  }

  /** An answer or a notice asks for nothing but to be read. */
  private showRead(message: Message, form: HTMLElement, notice: Notice): void {
    const read = el("button", { type: "button", class: "main" }, "Put away");
    const finish = () => this.finish(notice, "Put away.", () => api.done(message.id, ""));
    read.addEventListener("click", () => void busy(read, finish));
    replace(form, el("div", { class: "actions" }, read));
  }

  /** What a supervisor can do with something that failed below it, beside finishing it. */
  private resolutions(message: Message, notice: Notice): HTMLElement[] {
    const role = message.origin?.role ?? "its role";
    const retry = el("button", { type: "button" }, "Try again there");
    retry.addEventListener("click", () =>
      void busy(retry, () =>
        this.finish(notice, `It is back in the queue of ${role}.`, () => api.resolve(message.id, "retry"))));
    const reassign = el("button", { type: "button" }, "Give it to a deputy");
    reassign.addEventListener("click", () =>
      void busy(reassign, () =>
        this.finish(notice, `A deputy of ${role} gets it.`, () => api.resolve(message.id, "reassign"))));
    return [retry, reassign];
  }

  private async renew(message: Message, notice: Notice): Promise<void> {
    try {
      const answer = await api.renew(message.id);
      message.lease_until = answer.lease_until;
      this.cards.get(message.id)?.querySelector(".facts")?.replaceWith(this.facts(message));
      notice.show("good", "It is yours again; it goes back ", moment(answer.lease_until), ".");
    } catch (error) {
      notice.show("bad", sentence(error));
    }
  }

  /** The other ways out share a form: what is needed, a button that does it, and a way back. */
  private showOther(
    message: Message,
    form: HTMLElement,
    notice: Notice,
    fields: HTMLElement[],
    label: string,
    submit: () => Promise<void>,
  ): void {
    const before = [...form.children] as HTMLElement[];
    notice.clear();
    const button = el("button", { type: "submit", class: "main" }, label);
    const back = el("button", { type: "button" }, "Back");
    back.addEventListener("click", () => {
      notice.clear();
      replace(form, ...before);
      form.querySelector("textarea")?.focus();
    });
    const actions = el("div", { class: "actions" }, button, back);
    const inner = el("form", { "aria-label": `${label}: ${message.subject}` }, ...fields, actions);
    inner.addEventListener("submit", (event) => {
      event.preventDefault();
      void busy(button, submit);
    });
    replace(form, inner);
    inner.querySelector<HTMLElement>("input, textarea")?.focus();
  }

  private showDecline(message: Message, form: HTMLElement, notice: Notice): void {
    const reason = el("textarea", { rows: "3", required: true, maxlength: "4000" });
    const reader = capital(asker(message));
    const label = field("Why not?", reason, `${reader} reads this.`);
    this.showOther(message, form, notice, [label], "Decline", () =>
      this.finish(notice, `Declined. ${reader} was told why.`, () =>
        api.decline(message.id, reason.value.trim())));
  }

  private showDefer(message: Message, form: HTMLElement, notice: Notice): void {
    const until = el("input", { type: "datetime-local", required: true });
    const reason = el("textarea", { rows: "3", maxlength: "4000" });
    const fields = [field("When is it to come back?", until), field("Why (optional)", reason)];
    this.showOther(message, form, notice, fields, "Put off", () => {
      const at = new Date(until.value);
      const text = `Put off until ${at.toLocaleString()}.`;
      return this.finish(notice, text, () => api.defer(message.id, at.getTime(), reason.value.trim()));
    });
  }

  private showFail(message: Message, form: HTMLElement, notice: Notice): void {
    const reason = el("textarea", { rows: "3", required: true, maxlength: "4000" });
    const label = field("What went wrong?", reason, "Its supervisor reads this, not the sender.");
    this.showOther(message, form, notice, [label], "Say that it failed", () =>
      this.finish(notice, "Its supervisor decides what follows.", () =>
        api.fail(message.id, reason.value.trim())));
  }

  private showForward(message: Message, form: HTMLElement, notice: Notice): void {
    const to = nameInput({ required: true, list: "role-names" });
    const note = el("textarea", { rows: "3", maxlength: "4000" });
    const fields = [field("To the role", to), field("A note for whoever takes it (optional)", note)];
    this.showOther(message, form, notice, fields, "Forward", () => {
      const role = to.value.trim();
      const text = `Forwarded to ${role}.`;
      return this.finish(notice, text, () => api.forward(message.id, role, note.value.trim()));
    });
  }
}

/** Whom an answer goes to. What failed below comes from whoever could not do it: another one asked for it. */
function asker(message: Message): string {
  return message.kind === "escalation" ? "whoever sent it" : message.from;
}

function noteTitle(message: Message): string {
  return message.kind === "escalation" ? "Why it failed:" : "A note:";
}

/** A message that is not normal says so. */
function addClass(facts: HTMLElement, message: Message): void {
  if (message.class === "normal") return;
  facts.append(el("span", { class: `class ${message.class}` }, message.class), " ");
}

/** What waits, as a list without the texts: order and size, to plan the day with. */
function queue(inbox: Inbox): HTMLElement {
  const items = inbox.queued.slice(0, QUEUE_SHOWN).map((message) => {
    const facts = el("span", { class: "facts" });
    addClass(facts, message);
    facts.append(`${message.role}, from ${message.from}, `, moment(message.sent));
    return el("li", {}, el("span", { class: "subject" }, message.subject), facts);
  });
  const left = inbox.total - items.length;
  if (left > 0) items.push(el("li", { class: "hint" }, `and ${left.toLocaleString("en")} more`));
  return el("ol", { class: "queue", "aria-label": "What waits, in order" }, ...items);
}
