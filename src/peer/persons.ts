/** Named people of the institution: each has a secret in a file of its own, of which the peer keeps the hash. */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import { sha256, toHex, utf8 } from '../common/index.ts';
import { peerErrors } from './errors.ts';
import { maxPersons } from './limits.ts';
import { readIfThere, writeWhole } from './store/files.ts';

/** What a person's file holds, and what a command shows for it. */
export interface PersonProof {
  readonly name: string;
  /** 32 random bytes in hexadecimal. */
  readonly secret: string;
}

/** `persons.json` in a home: SHA-256 of each person's secret by name. */
export class Persons {
  readonly #file: string;

  constructor(home: string) {
    this.#file = join(home, 'persons.json');
  }

  /** Makes a person. Throws PEER_NAME_TAKEN; nobody is ever replaced. */
  add(name: string): PersonProof {
    const known = this.#known();
    if (Object.hasOwn(known, name) || !/^[\p{L}\p{N} .-]{1,64}$/u.test(name) || Object.keys(known).length >= maxPersons)
      throw peerErrors.PEER_NAME_TAKEN({ what: 'person, or no room for one,', name });
    const secret = toHex(randomBytes(32));
    writeWhole(this.#file, Buffer.from(`${JSON.stringify({ ...known, [name]: toHex(sha256(utf8(secret))) }, null, 2)}\n`), 'the list of persons');
    return { name, secret };
  }

  /** The name that a proof stands for. Throws PEER_NO_PERSON. */
  check(proof: PersonProof | undefined): string {
    const hash = proof && Object.hasOwn(this.#known(), proof.name) ? this.#known()[proof.name] : undefined;
    if (!proof || hash === undefined || !timingSafeEqual(sha256(utf8(hash)), sha256(utf8(toHex(sha256(utf8(proof.secret)))))))
      throw peerErrors.PEER_NO_PERSON({ name: proof?.name ?? 'nobody' });
    return proof.name;
  }

  #known(): Readonly<Record<string, string>> {
    const stored = readIfThere(this.#file);
    return stored === undefined ? {} : JSON.parse(Buffer.from(stored).toString('utf8'));
  }
}
