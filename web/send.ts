// SPDX-License-Identifier: MIT
// send.ts: writing to a role, and what the server said to it: the receipt. A key is made when the form is
// first sent and kept until something in it changes, so pressing Send again after a lost answer cannot make
// two messages.

import { type Accepted, api, type Class, Problem, type Redirected } from "./api";
import { announce, busy, el, field, nameInput, Notice } from "./dom";
import { duration, sentence } from "./text";

export class SendForm {
  readonly element: HTMLElement;
  private readonly to = nameInput({ name: "to", required: true, list: "role-names" });
  private readonly subject = el("input", {
    name: "subject",
    required: true,
    maxlength: "500",
    autocomplete: "off",
  });
  private readonly body = el("textarea", { name: "body", rows: "5" });
  private readonly urgency = el(
    "select",
    { name: "class" },
    el("option", { value: "urgent" }, "Urgent: before all others"),
    el("option", { value: "normal", selected: true }, "Normal"),
    el("option", { value: "bulk" }, "Bulk: after all others"),
  );
  private readonly button = el("button", { type: "submit", class: "main" }, "Send");
  private readonly notice = new Notice();
  private key = "";

  constructor(private readonly sent: () => void) {
    const form = el(
      "form",
      { novalidate: false, "aria-labelledby": "send-title" },
      el("div", { class: "pair" }, field("To the role", this.to), field("Urgency", this.urgency)),
      field("Subject", this.subject),
      field("Message", this.body),
      el("div", { class: "actions" }, this.button),
      this.notice.element,
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void busy(this.button, () => this.send(false));
    });
    form.addEventListener("input", () => {
      this.key = "";
    });
    this.element = el(
      "section",
      { class: "panel", id: "send", "aria-labelledby": "send-title" },
      el("h2", { id: "send-title" }, "Send a message"),
      form,
    );
  }

  /** Fills in the role and goes there. */
  writeTo(role: string): void {
    this.to.value = role;
    this.key = "";
    this.notice.clear();
    this.element.scrollIntoView({ block: "nearest" });
    this.subject.focus();
  }

  private async send(insist: boolean): Promise<void> {
    this.key ||= newKey();
    const to = this.to.value.trim();
    try {
      const message = { to, subject: this.subject.value.trim(), body: this.body.value, key: this.key };
      const urgency = this.urgency.value as Class;
      const receipt = await api.send({ ...message, class: urgency, ...(insist ? { insist } : {}) });
      if (receipt.state === "redirected") {
        this.showRedirected(receipt);
        return;
      }
      this.showReceipt(receipt);
      this.subject.value = "";
      this.body.value = "";
      this.key = "";
      this.sent();
    } catch (error) {
      this.showProblem(error, to);
    }
  }

  /** What was typed stays: nothing was taken in yet, and whether it goes to the other role is asked. */
  private showRedirected(answer: Redirected): void {
    const other = el("button", { type: "button", class: "quiet" }, `Send it to ${answer.redirect_to}`);
    other.addEventListener("click", () => {
      this.to.value = answer.redirect_to;
      void busy(other, () => this.send(false));
    });
    const title = el("strong", {}, `The mailbox of ${answer.role} is full.`);
    const why = ` It was not accepted; ${answer.redirect_to} is asked to take what comes now.`;
    this.notice.show("bad", title, why, el("div", { class: "actions" }, other));
  }

  private showReceipt(receipt: Accepted): void {
    const place = receipt.position !== undefined ? ` It is number ${receipt.position} in the queue.` : "";
    const isAbsent = receipt.availability === "absent";
    const nobody = isAbsent ? " Its holders are all away." : " Nobody holds this role.";
    const holder = receipt.holder ? ` ${receipt.holder} holds this role.` : nobody;
    let wait = "";
    if (receipt.wait) {
      const { median_ms, p95_ms } = receipt.wait;
      wait = ` Half of what waits here is done in ${duration(median_ms)}, nearly all in ${duration(p95_ms)}.`;
    }
    const title = el("strong", {}, `Accepted by ${receipt.role}.`);
    const id = el("span", { class: "id" }, ` Receipt ${receipt.id}`);
    this.notice.show("good", title, place, holder, wait, id);
    announce("The message was accepted.");
  }

  private showProblem(error: unknown, to: string): void {
    if (!(error instanceof Problem) || error.kind !== "full") {
      this.notice.show("bad", sentence(error));
      return;
    }
    const wait = error.retryAfterMs;
    const later = wait ? ` Try again in ${duration(wait)}, or` : " Try again later, or";
    const insist = el("button", { type: "button", class: "quiet" }, "Send it all the same");
    insist.addEventListener("click", () => void busy(insist, () => this.send(true)));
    const why = `${later} insist: that is recorded, and its supervisor sees it.`;
    const title = el("strong", {}, `The mailbox of ${to} is full.`);
    this.notice.show("bad", title, why, el("div", { class: "actions" }, insist));
  }
}

function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `page-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
