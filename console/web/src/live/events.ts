/** One event of a stream of server-sent events. */
export interface StreamEvent {
  kind: string;
  data: string;
  /** The id to come back with, if it gives one. */
  id: string | null;
}

/** Takes server-sent events from text that comes piece by piece (WHATWG HTML, section 9.2.6). */
export class EventParser {
  #rest = '';
  #kind = '';
  #id: string | null = null;
  #data: string[] = [];

  /** The events that the next piece completes. */
  take(piece: string): StreamEvent[] {
    const text = this.#rest + piece;
    const events: StreamEvent[] = [];
    let begin = 0;
    for (let end; (end = text.indexOf('\n', begin)) >= 0; begin = end + 1) {
      const event = this.#line(text.slice(begin, text[end - 1] === '\r' ? end - 1 : end));
      if (event) events.push(event);
    }
    this.#rest = text.slice(begin);
    return events;
  }

  #line(line: string): StreamEvent | null {
    if (line === '') return this.#end();
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1));
    if (name === 'event') this.#kind = value;
    else if (name === 'id') this.#id = value;
    else if (name === 'data') this.#data.push(value);
    return null;
  }

  #end(): StreamEvent | null {
    const event = { kind: this.#kind, data: this.#data.join('\n'), id: this.#id };
    const isEvent = this.#data.length > 0;
    this.#kind = '';
    this.#id = null;
    this.#data = [];
    return isEvent ? event : null;
  }
}
