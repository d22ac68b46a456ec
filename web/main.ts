// SPDX-License-Identifier: MIT
// main.ts: the page: sign-in, the head with whom one acts for, and the three parts (work, sending, roles)
// kept up to date quietly. It asks again every few seconds while it is looked at, and not at all while it is
// not.

import { Alarms } from "./alarms";
import { api, Problem, session, type Who } from "./api";
import { el, field, nameInput, Notice, replace, setText } from "./dom";
import { SendForm } from "./send";
import { sentence } from "./text";
import { lastTold } from "./told";
import { Tree } from "./tree";
import { Work } from "./work";

/** Between two refreshes, and after one that failed. */
const REFRESH_MS = 5_000;
const RETRY_MS = 15_000;

const TOKEN_HINT =
  "Whoever started the server finds theirs in the file “token” of its data folder. " +
  "Others get one from an administrator.";

const app = document.getElementById("app") as HTMLElement;

/** A token in the address (#token=...) signs in, and disappears from the address bar and the history. */
function takeTokenFromAddress(): void {
  const match = /^#token=([\w-]+)$/.exec(location.hash);
  if (!match) return;
  session.signIn(match[1] as string);
  history.replaceState(null, "", location.pathname + location.search);
}

function showSignIn(problem?: string): void {
  stopRefreshing();
  const notice = new Notice();
  if (problem) notice.show("bad", problem);
  const token = el("input", {
    type: "password",
    name: "token",
    required: true,
    autocomplete: "current-password",
    spellcheck: "false",
  });
  const form = el(
    "form",
    {},
    field("Your token", token, TOKEN_HINT),
    el("div", { class: "actions" }, el("button", { type: "submit", class: "main" }, "Sign in")),
    notice.element,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    session.signIn(token.value.trim());
    void start();
  });
  const what = el("p", {}, "Mailboxes for roles: nobody is interrupted, and nothing is lost.");
  replace(app, el("main", { class: "alone panel" }, el("h1", {}, "Troupe"), what, form));
  token.focus();
}

/** The head: who this is and, for an administrator, for whom it acts. */
function head(who: Who, self: Who): HTMLElement {
  const out = el("button", { type: "button", class: "quiet" }, "Sign out");
  out.addEventListener("click", () => {
    session.signOut();
    showSignIn();
  });
  const parts: HTMLElement[] = [];
  if (self.administrator) {
    const as = nameInput({ list: "actor-names", value: who.actor, id: "act-as" });
    as.addEventListener("change", () => {
      const name = as.value.trim();
      if (!name) as.value = who.actor;
      else if (name !== who.actor) void actAs(name === self.actor ? "" : name);
    });
    as.addEventListener("focus", () => as.select());
    parts.push(el("label", { class: "as" }, "Act for ", as));
  } else {
    parts.push(el("span", { class: "who" }, who.display ?? who.actor));
  }
  const places = Object.entries({ work: "Your work", send: "Send", roles: "Roles" });
  const links = places.map(([id, text]) => el("a", { href: `#${id}` }, text));
  return el(
    "header",
    { class: "head" },
    el("h1", {}, "Troupe"),
    el("nav", { "aria-label": "Parts of this page" }, ...links),
    el("div", { class: "who-am-i" }, ...parts, out),
  );
}

async function actAs(name: string): Promise<void> {
  const before = session.as;
  session.actAs(name);
  try {
    await api.whoami();
  } catch (error) {
    session.actAs(before);
    await start(sentence(error));
    return;
  }
  await start();
}

function options(id: string, names: string[]): HTMLElement {
  return el("datalist", { id }, ...names.map((name) => el("option", { value: name })));
}

let timer = 0;
let refreshNow: (() => void) | null = null;
let generation = 0;

function stopRefreshing(): void {
  generation++;
  window.clearTimeout(timer);
  refreshNow = null;
}

/** The whole page for whoever is signed in. */
async function start(problem?: string): Promise<void> {
  stopRefreshing();
  if (!session.token) {
    showSignIn();
    return;
  }
  let who: Who;
  let self: Who;
  try {
    who = await api.whoami();
    const as = session.as;
    session.as = "";
    self = as ? await api.whoami() : who;
    session.as = as;
  } catch (error) {
    const isUnknown = error instanceof Problem && error.status === 401;
    if (isUnknown) session.signOut();
    else session.actAs("");
    showSignIn(isUnknown ? "The server does not know this token." : sentence(error));
    return;
  }
  await showPage(who, self, problem);
}

/** Suggestions for whom to act for. A token that may not read has none. */
async function actorNames(): Promise<string[]> {
  try {
    return (await api.actors()).actors.map((actor) => actor.name);
  } catch {
    return [];
  }
}

async function showPage(who: Who, self: Who, problem?: string): Promise<void> {
  const mine = generation;
  const notice = new Notice();
  if (problem) notice.show("bad", problem);
  const roleNames = options("role-names", []);
  let known = "";

  const refreshWork = async () => {
    const inbox = await api.inbox();
    if (mine === generation) work.update(inbox);
  };
  const work = new Work(async () => {
    await refreshWork().catch(() => undefined); // what was asked for is done; the next round says the rest
    refreshNow?.();
  });
  const send = new SendForm(() => refreshNow?.());
  const tree = new Tree((role) => send.writeTo(role));
  const alarms = new Alarms();
  const refreshTree = async () => {
    const roles = await api.tree();
    if (mine !== generation) return;
    tree.update(roles);
    alarms.update(roles);
    const names = tree.names();
    if (known !== names.join()) {
      known = names.join();
      replace(roleNames, ...names.map((name) => el("option", { value: name })));
    }
  };

  const actors = self.administrator ? await actorNames() : [];
  const told = await lastTold(who.actor);
  if (mine !== generation) return;
  const lost = el("p", { class: "lost", hidden: true, role: "status" });
  replace(
    app,
    head(who, self),
    lost,
    alarms.element,
    ...told,
    el(
      "main",
      { class: "columns" },
      el("div", { class: "column" }, notice.element, work.element, send.element),
      tree.element,
    ),
    roleNames,
    options("actor-names", actors),
  );
  keepFresh(mine, lost, async () => {
    await refreshWork();
    await refreshTree();
  });
}

/** Refreshes now and then while the page is looked at. A server that is away is one quiet line. */
function keepFresh(mine: number, lost: HTMLElement, refresh: () => Promise<void>): void {
  let running = false;
  const round = async () => {
    window.clearTimeout(timer);
    if (mine !== generation || running || document.visibilityState === "hidden") return;
    running = true;
    let wait = REFRESH_MS;
    try {
      await refresh();
      lost.hidden = true;
    } catch (error) {
      if (mine === generation && error instanceof Problem && error.status === 401) {
        session.signOut();
        showSignIn("Your token has ended. Please sign in again.");
      } else {
        setText(lost, `${sentence(error)} What you see may be old; this page tries again by itself.`);
        lost.hidden = false;
        wait = RETRY_MS;
      }
    }
    running = false;
    if (mine === generation) timer = window.setTimeout(() => void round(), wait);
  };
  refreshNow = () => void round();
  void round();
}

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") refreshNow?.();
});

takeTokenFromAddress();
window.addEventListener("hashchange", () => {
  if (!location.hash.startsWith("#token=")) return;
  takeTokenFromAddress();
  void start();
});
void start();
