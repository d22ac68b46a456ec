// SPDX-License-Identifier: MIT
// api.ts: the HTTP interface as the page sees it (docs/http-api.md describes it). Every call goes to the
// server the page came from, with the token in a header; the token is kept in sessionStorage, so it ends with
// the tab.

export type Class = "urgent" | "normal" | "bulk";

export interface Role {
  name: string;
  parent: string | null;
  supervisor: string | null;
  team: boolean;
  holders: string[];
  holder: string | null;
  vacant: boolean;
  capacity: number;
  /** What counts against the capacity: also what is held, but no answers. */
  occupied: number;
  queued: number;
  held: number;
  parked: number;
  quarantined: number;
  done: number;
  alarm: boolean;
  out_of_order?: string;
  oldest_ms?: number;
}

export interface Message {
  id: string;
  role: string;
  state: string;
  kind: "message" | "answer" | "escalation" | "notice";
  outcome?: string;
  origin?: { role: string; id: string };
  from: string;
  subject: string;
  body?: string;
  note?: string;
  /** References, one a line. */
  attachments?: string;
  class: Class;
  sent: number;
  held_since?: number;
  lease_until?: number;
  deadline?: number;
  thread: string;
  hops: number;
  attempts: number;
}

/** A message that is about to be sent. */
export interface Draft {
  to: string;
  subject: string;
  body: string;
  class: Class;
  key: string;
  insist?: boolean;
}

/** What the server says to a message that was sent: taken in, or that a full mailbox names another one. */
export type Receipt = Accepted | Redirected;

export interface Accepted {
  state: "accepted";
  id: string;
  role: string;
  position?: number;
  wait?: { median_ms: number; p95_ms: number };
  holder: string | null;
  availability: "available" | "absent" | "vacant";
}

/** Nothing was taken in. */
export interface Redirected {
  state: "redirected";
  role: string;
  redirect_to: string;
}

export interface Who {
  actor: string;
  display?: string;
  kind: "person" | "program";
  administrator: boolean;
  roles: string[];
}

export interface Actor {
  name: string;
  kind: "person" | "program";
  display?: string;
}

/** A notice that went out. */
export interface Told {
  number: number;
  at: number;
  kind: "urgent" | "digest";
  roles: { role: string; queued: number; oldest: number; urgent: number }[];
}

export interface Inbox {
  held: Message[];
  queued: Message[];
  total: number;
}

/** What the server answers when it cannot do what was asked: application/problem+json. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly kind: string,
    readonly title: string,
    readonly detail: string,
    readonly retryAfterMs?: number,
  ) {
    super(detail || title);
  }
}

const TOKEN_KEY = "troupe.token";
const AS_KEY = "troupe.as";

export const session = {
  token: sessionStorage.getItem(TOKEN_KEY) ?? "",
  as: sessionStorage.getItem(AS_KEY) ?? "",

  signIn(token: string): void {
    this.token = token;
    sessionStorage.setItem(TOKEN_KEY, token);
    this.actAs("");
  },

  actAs(actor: string): void {
    this.as = actor;
    if (actor) sessionStorage.setItem(AS_KEY, actor);
    else sessionStorage.removeItem(AS_KEY);
  },

  signOut(): void {
    this.token = "";
    sessionStorage.removeItem(TOKEN_KEY);
    this.actAs("");
  },
};

async function problemOf(response: Response): Promise<Problem> {
  let fields: Record<string, unknown> = {};
  try {
    fields = await response.json();
  } catch {
    // Whoever stands between us and the server answered, not the server.
  }
  const text = (name: string) => (typeof fields[name] === "string" ? (fields[name] as string) : "");
  const retry = fields["retry_after_ms"];
  return new Problem(
    response.status,
    text("type").replace("urn:troupe:problem:", ""),
    text("title") || `The server answered ${response.status}`,
    text("detail"),
    typeof retry === "number" ? retry : undefined,
  );
}

async function ask(method: string, path: string, body?: unknown, tag?: string): Promise<Response> {
  const headers: Record<string, string> = { Authorization: `Bearer ${session.token}` };
  if (session.as) headers["Troupe-As"] = session.as;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (tag) headers["If-None-Match"] = tag;
  let response: Response;
  try {
    const sent = body === undefined ? undefined : JSON.stringify(body);
    response = await fetch(path, { method, headers, body: sent, cache: "no-store" });
  } catch {
    throw new Problem(0, "unreachable", "The server cannot be reached: is it still running?", "");
  }
  if (response.status >= 400) throw await problemOf(response);
  return response;
}

async function get<T>(path: string): Promise<T> {
  return (await ask("GET", path)).json();
}

async function post<T>(path: string, body: unknown): Promise<T> {
  const response = await ask("POST", path, body);
  return response.status === 204 ? (undefined as unknown as T) : response.json();
}

let treeTag = "";
let treeAs = "";
let treeRoles: Role[] = [];

/** The roles, parents before children. The server says so cheaply when nothing has changed. */
async function tree(): Promise<Role[]> {
  const known = treeAs === session.as ? treeTag : "";
  const response = await ask("GET", "/v1/tree", undefined, known);
  if (response.status !== 304) {
    treeRoles = ((await response.json()) as { roles: Role[] }).roles;
    treeTag = response.headers.get("ETag") ?? "";
    treeAs = session.as;
  }
  return treeRoles;
}

export const api = {
  tree,
  whoami: () => get<Who>("/v1/whoami"),
  actors: () => get<{ actors: Actor[] }>("/v1/actors"),
  notices: () => get<{ notices: Told[]; last: number }>("/v1/notices"),
  inbox: () => get<Inbox>("/v1/inbox?limit=20"),
  next: () => post<{ messages: Message[] } | undefined>("/v1/next", {}),
  done: (id: string, reply: string) => post<unknown>("/v1/done", reply ? { id, reply } : { id }),
  decline: (id: string, reason: string) => post<unknown>("/v1/decline", { id, reason }),
  forward: (id: string, to: string, note: string) =>
    post<unknown>("/v1/forward", note ? { id, to, note } : { id, to }),
  resolve: (id: string, action: "retry" | "reassign") => post<unknown>("/v1/resolve", { id, action }),
  defer: (id: string, until: number, reason: string) =>
    post<unknown>("/v1/defer", reason ? { id, until, reason } : { id, until }),
  fail: (id: string, reason: string) => post<unknown>("/v1/fail", { id, reason }),
  renew: (id: string) => post<{ lease_until: number }>("/v1/renew", { id }),
  send: (message: Draft) => post<Receipt>("/v1/send", message),
};
