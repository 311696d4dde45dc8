/** A Byzantine member's ways out: the ports of the real member, with its treason in between. */
import type { KeyAgreement } from '../../src/aggregation/index.ts';
import type { Digest, PeerId } from '../../src/common/index.ts';
import type { Ledger } from '../../src/ledger/index.ts';
import type { Network } from '../../src/network/index.ts';
import { decodeMessage, encodeMessage, type PeerMessage, protocolVersions } from '../../src/wire/index.ts';
import { type TraitorPlace, type Treason, treasons } from './traitors.ts';

interface Parts extends Omit<TraitorPlace, 'send'> {
  readonly peerOf: (member: number) => PeerId;
  /** Called each time that something is not as an honest member would do it. */
  readonly committed: () => void;
}

/** One Byzantine member of one kind. */
export class Traitor {
  readonly #parts: Parts;
  readonly #treason: Treason;
  #sendNow: ((to: number, message: PeerMessage) => void) | undefined;

  constructor(kind: string, parts: Parts) {
    const make = treasons[kind];
    if (!make) throw new Error(`no treason is called ${kind}`);
    this.#parts = parts;
    this.#treason = make({ ...parts, send: (to, message) => this.#sendNow?.(to, message) });
  }

  /** What it does on its own. */
  tick(): void {
    this.#treason.tick?.();
  }

  keys(keys: KeyAgreement): KeyAgreement {
    return this.#treason.keys?.(keys) ?? keys;
  }

  content(root: Digest, bytes: Uint8Array): Uint8Array | undefined {
    if (!this.#treason.content) return bytes;
    this.#parts.committed();
    return this.#treason.content(root, bytes);
  }

  /** The member's network, with its messages changed. What it sends on its own is not counted as an action of the real member. */
  network(port: Network): Network {
    const { message: change } = this.#treason;
    const { peerOf, members, committed } = this.#parts;
    const peers = Array.from({ length: members }, (_, member) => peerOf(member));
    this.#sendNow = (to, message) => {
      committed();
      port.send(peerOf(to), encodeMessage(message));
    };
    if (!change) return port;
    const send = (peer: PeerId, bytes: Uint8Array): void => {
      const message = decodeMessage(bytes, protocolVersions);
      const sent = change(peers.indexOf(peer), message);
      if (sent.length !== 1 || sent[0] !== message) committed();
      for (const one of sent) port.send(peer, one === message ? bytes : encodeMessage(one));
    };
    return { ...port, send };
  }

  /** The member's ledger, with its transactions changed; one that it keeps to itself seems to be taken. */
  ledger(port: Ledger): Ledger {
    const { transaction: change } = this.#treason;
    if (!change) return port;
    return {
      ...port,
      submit: async (transaction, options) => {
        const [first, ...more] = change(transaction);
        if (first !== transaction || more.length > 0) this.#parts.committed();
        for (const one of more) port.submit(one, options).catch(() => undefined);
        return first ? await port.submit(first, options) : { transaction: '0x', block: 0 };
      },
    };
  }
}
