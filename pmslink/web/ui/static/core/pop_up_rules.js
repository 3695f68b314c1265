// Which changes pop up, without how they are shown: a link that goes down, comes back, or is changed by a person,
// and other facts that somebody should know.
//
// All changes of one outage are one pop-up: redials change it in place, and once it is closed it stays closed until
// the outage is over. With the mode "marker" each change of the marker is one.

const RECENT_OUTAGE_MS = 2 * 60_000; // within which an outage that was not loaded has begun with this change
const CLOSED_CHANGE_MS = 5_000; // within which the further steps of a change by a person stay closed
const BY_PERSON = ["user", "settings"]; // codes of causes

/**
 * The pop-ups of a page; the last one of `popUps` is shown.
 *
 * A pop-up is `{key, number, kind, link, notice, from, to, seconds, isBad}`. Its `kind` is "down", "back", "change"
 * or "notice"; another `number` is another pop-up, even with the same key.
 */
export class PopUpRules {
  popUps = [];
  mode = "outage"; // or "marker", "none"
  #outages = new Map(); // by link: `down_since` of the outage that has popped up, or had begun before
  #closed = new Map(); // by key: when a pop-up was closed
  #numbers = 0;

  /**
   * `isMuted(name)` tells whether a link is muted; `knowsAll()` whether all outages from before are known;
   * `isFromBefore(notice)` whether a notice that was loaded is no news.
   */
  constructor(isMuted, knowsAll, isFromBefore) {
    this.isMuted = isMuted;
    this.knowsAll = knowsAll;
    this.isFromBefore = isFromBefore;
  }

  /** The pop-up that is shown, or undefined. */
  get shown() {
    return this.popUps.at(-1);
  }

  /**
   * Take in the notices that last, as they were just loaded. An outage from before pops up at its end only; a later
   * one was loaded before its event has come. If these are all notices, what popped up about others is over.
   */
  know(notices) {
    if (this.knowsAll()) this.#forgetOthers(notices);
    for (const notice of notices.filter(this.isFromBefore)) {
      if (notice.kind === "down") this.#outages.set(notice.link, notice.subject);
    }
  }

  #forgetOthers(notices) {
    const lasting = new Set(notices.map(keyOfNotice));
    for (const [name, downSince] of this.#outages) {
      const key = downKey(name, downSince);
      if (lasting.has(key)) continue;
      this.#outages.delete(name);
      this.#closed.delete(key);
    }
    const isOver = ({ key, kind }) => (kind === "down" || kind === "notice") && !lasting.has(key);
    this.popUps = this.popUps.filter((popUp) => !isOver(popUp));
  }

  /** Close the pop-up that is shown: it is also in the list of notices, and may have others under it. */
  close(at) {
    const popUp = this.popUps.pop();
    if (popUp) this.#noteClosed(popUp, at);
  }

  /** Close all pop-ups: the reader sees them in the list of notices. */
  closeAll(at) {
    this.popUps.forEach((popUp) => this.#noteClosed(popUp, at));
    this.popUps = [];
  }

  #noteClosed({ key, kind }, at) {
    if (kind === "down" || kind === "change") this.#closed.set(key, at);
  }

  /** Take away a pop-up whose time is over. */
  expire(popUp) {
    this.popUps = this.popUps.filter((other) => other !== popUp);
  }

  /** Forget everything, as when somebody else signs in. */
  clear() {
    this.popUps = [];
    this.#outages.clear();
    this.#closed.clear();
  }

  /** Take away what is about a link that is muted now. */
  mute(name) {
    this.popUps = this.popUps.filter(({ link, notice }) => (link?.name ?? notice?.link) !== name);
  }

  // Links.

  /**
   * Take in a link that has changed. `transition` is the change of its marker, null without one; `isOwn` says that
   * this page has asked for the change.
   */
  onLink(link, transition, at, isOwn = false) {
    const before = this.#outages.get(link.name);
    const isOver = before !== undefined && before !== link.down_since;
    if (isOver) this.#endOutage(link, before);
    const begins = link.group === "down" && this.#outages.get(link.name) !== link.down_since;
    if (begins) this.#outages.set(link.name, link.down_since);
    if (this.mode === "marker") this.#onMarker(link, transition);
    else this.#onOutage(link, transition, { at, isOwn, begins, before: isOver ? before : null });
  }

  #endOutage(link, downSince) {
    this.#outages.delete(link.name);
    this.#closed.delete(downKey(link.name, downSince));
    this.popUps = this.popUps.filter(({ key }) => key !== downKey(link.name, downSince));
  }

  #onMarker(link, transition) {
    const key = `marker ${link.name}`;
    if (transition !== null && transition.from !== null) this.#open({ key, kind: "change", link }, transition);
    else this.#change(key, link, transition);
  }

  #onOutage(link, transition, { at, isOwn, begins, before }) {
    const down = downKey(link.name, link.down_since);
    if (before !== null && link.in_sync) {
      const seconds = Math.max(0, (at - Date.parse(before)) / 1000);
      this.#open({ key: `back ${link.name}`, kind: "back", link, seconds }, transition);
    } else if (begins && transition !== null && this.#isNew(link, at)) {
      this.#open({ key: down, kind: "down", link }, transition);
    } else if (link.group === "down" || this.#has(down)) {
      this.#change(down, link, transition);
    } else if (transition?.from && BY_PERSON.includes(link.cause.code) && !isOwn) {
      this.#onChangeByPerson(link, transition, at);
    } else {
      this.#change(`change ${link.name}`, link, transition);
      this.#change(`back ${link.name}`, link, transition);
    }
  }

  #isNew(link, at) {
    return this.knowsAll() || at - Date.parse(link.down_since) < RECENT_OUTAGE_MS;
  }

  #onChangeByPerson(link, transition, at) {
    const key = `change ${link.name}`;
    if (this.#has(key)) this.#change(key, link, transition);
    else if (at - (this.#closed.get(key) ?? -Infinity) > CLOSED_CHANGE_MS) {
      this.#open({ key, kind: "change", link }, transition);
    }
  }

  // Notices.

  /** Take in a notice that was opened or has changed; `isNew` says that it was not known before. */
  onNotice(notice, isNew) {
    const key = keyOfNotice(notice);
    if (notice.state !== "open") {
      this.popUps = this.popUps.filter((popUp) => popUp.key !== key);
    } else if (notice.kind !== "down" && isNew) {
      this.#open({ key, kind: "notice", notice }, null);
    } else if (this.#has(key)) {
      this.popUps = this.popUps.map((popUp) => (popUp.key === key ? { ...popUp, notice } : popUp));
    }
  }

  // Pop-ups.

  #has = (key) => this.popUps.some((popUp) => popUp.key === key);

  #open(popUp, transition) {
    const name = popUp.link?.name ?? popUp.notice.link;
    if (this.mode === "none" || this.isMuted(name) || (popUp.kind === "down" && this.#closed.has(popUp.key))) return;
    const others = this.popUps.filter(({ key, link }) => key !== popUp.key && (!popUp.link || link?.name !== name));
    const isBad = popUp.link ? popUp.link.group === "down" : true;
    const marker = { from: transition?.from ?? null, to: transition?.to ?? null };
    this.popUps = [...others, { ...popUp, ...marker, isBad, number: ++this.#numbers }];
  }

  /** Show another marker, or how the link is now, in a pop-up that is open. */
  #change(key, link, transition) {
    const marker = transition === null ? {} : { from: transition.from, to: transition.to };
    const isBad = link.group === "down";
    this.popUps = this.popUps.map((popUp) => (popUp.key === key ? { ...popUp, link, ...marker, isBad } : popUp));
  }
}

const downKey = (name, downSince) => `down ${name} ${downSince}`;
const keyOfNotice = ({ id, kind, link, subject }) => (kind === "down" ? downKey(link, subject) : `notice ${id}`);
