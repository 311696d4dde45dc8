/** The links between members: what is sent, lost, doubled, garbled, and arrives; and members that ask too early. */
import type { Digest } from '../../src/common/index.ts';
import { decodeMessage, encodeMessage, type Item, protocolVersions } from '../../src/wire/index.ts';
import type { Access } from './disk.ts';
import { garbled, networkPort } from './network.ts';
import type { Place } from './place.ts';
import type { Scene } from './scene.ts';
import { count } from './seen.ts';
import { terms } from './terms.ts';

/** All links of a world. */
export class Links {
  /** Rounds by their context, the newest last. */
  readonly contexts = new Map<Digest, number>();
  readonly #scene: Scene;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** The network as one member sees it. */
  port(place: Place, access: Access) {
    const { latencyMs, loss, doubles, garble } = this.#scene.schedule;
    const port = networkPort(place.index, this.#scene.time, access, {
      latencyMs: () => this.#scene.luck.draw(latencyMs),
      loses: () => this.#scene.luck.happens(loss),
      doubles: () => this.#scene.luck.happens(doubles),
      garble: (bytes) => {
        if (!this.#scene.luck.happens(garble)) return bytes;
        count(this.#scene.seen, 'garbled');
        return garbled(bytes, this.#scene.luck.chance);
      },
      reachable: (from, to) => this.#reachable(from, to),
      sent: (from, to, bytes) => this.#sent(from, to, bytes),
      lost: () => count(this.#scene.seen, 'messages lost'),
      arrive: (from, to, bytes, original) => this.#arrive(from, to, bytes, original),
      offered: (by, root) => this.#offered(by, root),
    });
    return place.traitor?.network(port) ?? port;
  }

  #offered(by: number, root: Digest): Uint8Array | undefined {
    const place = this.#scene.places[by];
    const bytes = place?.disk.half.has(root) ? undefined : place?.disk.blobs.get(root);
    return bytes && place?.traitor ? place.traitor.content(root, bytes) : bytes;
  }

  #reachable(from: number, to: number): boolean {
    const up = (member: number): boolean => this.#scene.places[member]?.incarnation?.access.dead === false;
    return up(from) && up(to) && this.#scene.conditions.connects(from, to);
  }

  #sent(from: number, to: number, bytes: Uint8Array): void {
    const message = decodeMessage(bytes, protocolVersions);
    this.#scene.trace.note('send', from, to, message.body.kind);
    this.#scene.trace.add(bytes);
    this.#scene.spectator.sent({ from, to }, message, this.contexts.get(message.context) ?? -1);
  }

  #arrive(from: number, to: number, bytes: Uint8Array, original: Uint8Array): void {
    const [place, sender] = [this.#scene.places[to], this.#scene.accounts[from]];
    if (!place || !sender) return;
    this.#scene.spectator.arrived({ from, to, bytes, isGarbled: bytes !== original });
    const before = this.#scene.spectator.stored;
    place.incarnation?.message(sender, bytes);
    if (bytes === original || this.#scene.spectator.stored === before) return;
    const sent = decodeMessage(original, protocolVersions);
    this.#scene.spectator.garbled({ from, to, sent, bytes }, this.contexts.get(sent.context) ?? -1);
  }

  /** A curious member asks for what unmasks, long before it is due. */
  askEarly(): void {
    if (!this.#scene.luck.happens(this.#scene.schedule.curious)) return;
    const [context] = [...this.contexts.keys()].slice(-1);
    const [by, to, owner, attempt] = [this.#anyone(), this.#anyone(), this.#anyone(), this.#scene.luck.chance.below(2)];
    if (context === undefined || by === to || !this.#reachable(by, to)) return;
    const item: Item = this.#scene.luck.chance.below(2) === 0 ? { kind: 'seed', attempt } : { kind: 'seedShare', attempt, owner };
    const bytes = encodeMessage({ context, body: { kind: 'request', item } }, terms.protocol);
    count(this.#scene.seen, 'asked early');
    this.#arrive(by, to, bytes, bytes);
  }

  #anyone(): number {
    return this.#scene.luck.chance.below(this.#scene.places.length);
  }
}
