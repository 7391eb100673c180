/**
 * The view that a terminal shows: what is chosen, what keys do, and the picture that all of it is drawn
 * from.
 *
 * @module
 */
import { escapeText } from "../../text/escape.ts";
import type { HandshakeFilterText } from "./filter_text.ts";
import type { Grouping } from "../statistics/groupings.ts";
import { GROUPINGS } from "../statistics/groupings.ts";
import type { TopStatus } from "./draw_header.ts";
import type { Key, KeyName } from "./keys.ts";
import type { KeptHandshake } from "./kept_handshakes.ts";
import { LineEditor } from "./line_editor.ts";
import { type Picture, type TableView, takePicture } from "./picture.ts";
import { nameOfFile, saveHandshakes, saveLadder } from "./save.ts";
import type { ScreenLine } from "./screen_line.ts";
import { type Sort, SORTS } from "./table_columns.ts";
import type { TopModel } from "./top_model.ts";

/** What a view is given, and cannot know itself. */
export interface TopViewOptions {
  ascii: boolean;
  localTime: boolean;
  table: TableView;
  /** Reads a filter that is typed. */
  parseFilter(text: string): HandshakeFilterText;
  /** Draws the ladder of a handshake and what is said of it. */
  ladder(kept: KeptHandshake): readonly ScreenLine[];
}

/** What is to be done outside of the view. */
export type TopAction =
  | { kind: "quit" }
  | { kind: "suspend" }
  | { kind: "redraw" }
  | { kind: "save"; path: string; text: string };

/** What a list is of. */
export type ListOf = "failures" | "slowest" | "latest" | { grouping: Grouping; name: string };

/** A screen that lies over those before it. */
export type TopScreen =
  | { kind: "table" }
  | { kind: "list"; of: ListOf }
  | { kind: "ladder"; kept: KeptHandshake; lines: readonly ScreenLine[]; left: number }
  | { kind: "help" }
  | { kind: "messages" };

/** Which row of a screen is chosen, and which one stands at its top. */
export interface Position {
  at: number;
  top: number;
  /** What is chosen keeps its mark where rows move: a group's name, a handshake's number. */
  key?: string | number;
}

/** What a place of the screen does when it is clicked. */
export type Target =
  | { kind: "row"; at: number }
  | { kind: "grouping"; grouping: Grouping }
  | { kind: "sort"; sort: Sort }
  | { kind: "handshake"; kept: KeptHandshake };

/** Messages that are kept. */
const MESSAGES_MAX = 100;
/** Pictures during which the last one stands there: ten seconds. */
const MESSAGE_PICTURES = 20;

/** The state of the view. Drawing reads it, keys change it. */
export class TopView {
  readonly model: TopModel;
  readonly options: TopViewOptions;
  readonly table: TableView;
  status: TopStatus = { host: "", source: "", losses: {}, filtered: 0 };
  picture: Picture;
  /** The handshakes of the list that is shown. */
  list: readonly KeptHandshake[] = [];
  isPaused = false;
  /** The filter that holds, as it was typed. */
  filter = "";
  /** What is typed now. */
  typing: { what: "filter" | "path"; editor: LineEditor; fault: string } | undefined;
  /** What was said, the last at the end. */
  readonly messages: string[] = [];
  /** The last message, for a while and until a key is pressed. */
  message = "";
  #messagePictures = 0;
  readonly #screens: { screen: TopScreen; position: Position }[] = [
    { screen: { kind: "table" }, position: { at: 0, top: 0 } },
  ];
  #toSave: () => string = () => "";
  /** The row that was clicked last, and nothing done since. */
  #clickedAt: number | undefined;
  /** What a key that ended typing asks for. */
  #pending: TopAction | undefined;
  /** Rows of the screen that move, as they were drawn last. */
  pageRows = 10;
  /** Finds what a place does, as it was drawn last. */
  targetAt: (column: number, row: number) => Target | undefined = () => undefined;

  /** Shows the table. */
  constructor(model: TopModel, options: TopViewOptions) {
    this.model = model;
    this.options = options;
    this.table = { ...options.table };
    this.picture = takePicture(model, this.table, false);
  }

  /** The screen that is on top, and where one is on it. */
  get screen(): TopScreen {
    return this.#screens[this.#screens.length - 1].screen;
  }

  /** See {@link screen}. */
  get position(): Position {
    return this.#screens[this.#screens.length - 1].position;
  }

  /** Takes a new picture, unless it is paused. */
  refresh(): void {
    if (++this.#messagePictures > MESSAGE_PICTURES) this.message = "";
    if (!this.isPaused) this.#takePicture();
  }

  #takePicture(): void {
    this.picture = takePicture(this.model, this.table, this.isPaused);
    this.#fillList();
    this.#keepChoice();
  }

  #fillList(): void {
    const entry = this.#screens.findLast(({ screen }) => screen.kind === "list");
    if (entry?.screen.kind !== "list") return;
    const { of } = entry.screen;
    if (of === "failures") this.list = this.picture.failures;
    else if (of === "slowest") this.list = this.picture.slowest;
    else if (of === "latest") this.list = this.model.latest();
    else this.list = this.model.opened();
  }

  /** Finds the chosen row again, where others came before it. */
  #keepChoice(): void {
    const { position } = this;
    if (position.key === undefined) return;
    const at = this.#keys().indexOf(position.key);
    if (at >= 0) position.at = at;
    else this.#choose(position.at);
  }

  #keys(): (string | number)[] {
    if (this.screen.kind === "table") return this.picture.rows.map(({ name }) => name);
    return this.screen.kind === "list" ? this.list.map(({ number }) => number) : [];
  }

  /** How many rows can be chosen or moved over. */
  get rowCount(): number {
    switch (this.screen.kind) {
      case "table":
        return this.picture.rows.length;
      case "list":
        return this.list.length;
      default:
        return Infinity;
    }
  }

  /** Says something to who sits before it. @param text A line, which may quote untrusted text. */
  say(text: string): void {
    this.message = escapeText(text);
    this.#messagePictures = 0;
    this.messages.push(this.message);
    if (this.messages.length > MESSAGES_MAX) this.messages.shift();
  }

  /** Does what a key asks for. @returns What is to be done outside. */
  press(key: Key): TopAction | undefined {
    this.message = "";
    if (key.kind !== "press") this.#clickedAt = undefined;
    if (key.kind === "key") {
      if (key.name === "ctrl-c") return { kind: "quit" };
      if (key.name === "ctrl-z") return { kind: "suspend" };
      if (key.name === "ctrl-l") return { kind: "redraw" };
    }
    if (this.typing !== undefined && this.#type(key)) return this.#action();
    switch (key.kind) {
      case "text":
        return this.#pressText(key.text);
      case "key":
        this.#pressName(key.name);
        return undefined;
      case "wheel":
        this.#move(3 * key.by);
        return undefined;
      case "press":
        this.#click(this.targetAt(key.column, key.row));
        return undefined;
      case "paste":
        return undefined;
    }
  }

  #action(): TopAction | undefined {
    const action = this.#pending;
    this.#pending = undefined;
    return action;
  }

  /** @returns Whether the key was for what is typed. */
  #type(key: Key): boolean {
    const typing = this.typing!;
    if (key.kind === "key" && key.name === "escape") {
      this.typing = undefined;
      return true;
    }
    if (key.kind === "key" && key.name === "enter") {
      this.#typed(typing.what, typing.editor.text);
      return true;
    }
    if (!typing.editor.take(key)) return key.kind !== "press" && key.kind !== "wheel";
    if (typing.what === "filter") this.#applyFilter(typing.editor.text);
    return true;
  }

  #typed(what: "filter" | "path", text: string): void {
    if (what === "filter") {
      // What is not complete yet stays there to be mended.
      if (this.#applyFilter(text)) this.typing = undefined;
      return;
    }
    this.typing = undefined;
    if (text !== "") this.#pending = { kind: "save", path: text, text: this.#toSave() };
  }

  /** @returns Whether the text is a filter. */
  #applyFilter(text: string): boolean {
    const parsed = this.options.parseFilter(text);
    if ("fault" in parsed) {
      if (this.typing) this.typing.fault = escapeText(parsed.fault);
      return false;
    }
    if (this.typing) this.typing.fault = "";
    const trimmed = text.trim();
    if (trimmed === this.filter) return true;
    this.filter = trimmed;
    this.model.filter(trimmed === "" ? undefined : parsed.passes);
    this.#takePicture();
    return true;
  }

  #pressText(text: string): TopAction | undefined {
    switch (text) {
      case "q":
        return { kind: "quit" };
      case "j":
        this.#move(1);
        break;
      case "k":
        this.#move(-1);
        break;
      case "g":
        this.#move(-Infinity);
        break;
      case "G":
        this.#move(Infinity);
        break;
      case "h":
        this.#shift(-8);
        break;
      case "l":
        this.#shift(8);
        break;
      case "n":
      case "p":
        this.#neighbour(text === "n" ? 1 : -1);
        break;
      case "/":
        this.typing = { what: "filter", editor: new LineEditor(this.filter), fault: "" };
        break;
      case " ":
        this.isPaused = !this.isPaused;
        this.#takePicture();
        break;
      case "?":
        this.#toggle({ kind: "help" });
        break;
      case "m":
        this.#toggle({ kind: "messages" });
        break;
      case "f":
        this.#openList("failures");
        break;
      case "o":
        this.#openList("slowest");
        break;
      case "a":
        this.#openList("latest");
        break;
      case "c":
        this.model.clear();
        this.#takePicture();
        break;
      case "w":
        this.#askPath();
        break;
      default:
        if (this.screen.kind === "table") this.#pressSort(text);
    }
    return undefined;
  }

  #pressSort(text: string): void {
    const { table } = this;
    const digit = /^[1-9]$/.test(text) ? Number(text) : 0;
    if (text === "s") this.#sort(SORTS[(SORTS.indexOf(table.sort) + 1) % SORTS.length]);
    else if (digit > 0 && digit <= SORTS.length) this.#sort(SORTS[digit - 1]);
    else if (text === "S") {
      table.isReversed = !table.isReversed;
      this.#takePicture();
    }
  }

  /** By what it is sorted already, it is sorted the other way round. */
  #sort(sort: Sort): void {
    const { table } = this;
    table.isReversed = table.sort === sort && !table.isReversed;
    table.sort = sort;
    this.#takePicture();
  }

  #pressName(name: KeyName): void {
    switch (name) {
      case "up":
        return this.#move(-1);
      case "down":
        return this.#move(1);
      case "page-up":
        return this.#move(-this.pageRows);
      case "page-down":
        return this.#move(this.pageRows);
      case "home":
        return this.#move(-Infinity);
      case "end":
        return this.#move(Infinity);
      case "left":
        return this.#shift(-8);
      case "right":
        return this.#shift(8);
      case "tab":
        return this.#group(1);
      case "back-tab":
        return this.#group(-1);
      case "enter":
        return this.#enter();
      case "escape":
      case "backspace":
        return this.#back();
    }
  }

  #group(by: number): void {
    if (this.screen.kind !== "table") return;
    const at = GROUPINGS.indexOf(this.table.grouping) + by;
    this.#setGrouping(GROUPINGS[(at + GROUPINGS.length) % GROUPINGS.length]);
  }

  #setGrouping(grouping: Grouping): void {
    this.table.grouping = grouping;
    Object.assign(this.position, { at: 0, top: 0, key: undefined });
    this.#takePicture();
  }

  #move(by: number): void {
    const { position, screen } = this;
    if (screen.kind === "table" || screen.kind === "list") this.#choose(position.at + by);
    // How far down a text goes, who draws it knows.
    else position.top = Math.max(0, Math.min(position.top + by, Number.MAX_SAFE_INTEGER));
  }

  #choose(at: number): void {
    const { position } = this;
    position.at = Math.max(0, Math.min(at, this.rowCount - 1));
    // At the top of a list one sees what comes; elsewhere one looks at what is chosen.
    const follows = this.screen.kind === "list" && position.at === 0;
    position.key = follows ? undefined : this.#keys()[position.at];
  }

  #shift(by: number): void {
    const { screen } = this;
    if (screen.kind === "ladder") screen.left = Math.max(0, screen.left + by);
  }

  #enter(): void {
    const { screen, position, picture } = this;
    if (screen.kind === "table") {
      const row = picture.rows[position.at];
      if (row) this.#openList({ grouping: this.table.grouping, name: row.name });
    } else if (screen.kind === "list") {
      const kept = this.list[position.at];
      if (kept) this.#openLadder(kept);
    }
  }

  #openList(of: ListOf): void {
    // One list is under another ladder only.
    while (this.screen.kind !== "table") this.#screens.pop();
    if (typeof of === "object") this.model.open(of.grouping, of.name);
    this.#screens.push({ screen: { kind: "list", of }, position: { at: 0, top: 0 } });
    this.#fillList();
  }

  #openLadder(kept: KeptHandshake): void {
    const lines = this.options.ladder(kept);
    this.#screens.push({
      screen: { kind: "ladder", kept, lines, left: 0 },
      position: { at: 0, top: 0 },
    });
  }

  /** From a ladder to that of the next one in the list. */
  #neighbour(by: number): void {
    const { screen } = this;
    const below = this.#screens[this.#screens.length - 2];
    if (screen.kind !== "ladder" || below?.screen.kind !== "list") return;
    const at = this.list.findIndex(({ number }) => number === screen.kept.number) + by;
    const kept = this.list[at];
    if (kept === undefined) return;
    Object.assign(below.position, { at, key: kept.number });
    this.#screens.pop();
    this.#openLadder(kept);
  }

  #back(): void {
    if (this.screen.kind === "table") {
      if (this.filter !== "") this.#applyFilter("");
      return;
    }
    const { screen } = this.#screens.pop()!;
    if (screen.kind === "list") this.model.close();
    this.refresh();
  }

  #toggle(screen: TopScreen): void {
    if (this.screen.kind === screen.kind) this.#back();
    else this.#screens.push({ screen, position: { at: 0, top: 0 } });
  }

  #click(target: Target | undefined): void {
    switch (target?.kind) {
      case "row": {
        const isAgain = this.#clickedAt === target.at && this.position.at === target.at;
        this.#choose(target.at);
        this.#clickedAt = isAgain ? undefined : target.at;
        if (isAgain) this.#enter();
        break;
      }
      case "grouping":
        this.#setGrouping(target.grouping);
        break;
      case "sort":
        this.#sort(target.sort);
        break;
      case "handshake":
        this.#openLadder(target.kept);
    }
  }

  #askPath(): void {
    const { screen, picture, position, table } = this;
    let isText = false;
    if (screen.kind === "ladder") {
      const { lines } = screen;
      isText = true;
      this.#toSave = () => saveLadder(lines);
    } else if (screen.kind === "list") {
      const { list } = this;
      this.#toSave = () => saveHandshakes(list);
    } else if (screen.kind === "table" && picture.rows[position.at]) {
      const { name } = picture.rows[position.at];
      const list = this.model.handshakesOf(table.grouping, name);
      this.#toSave = () => saveHandshakes(list);
    } else return;
    const path = nameOfFile(this.picture.moment.now, isText);
    this.typing = { what: "path", editor: new LineEditor(path), fault: "" };
  }
}
