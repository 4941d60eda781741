// PyTorch's CPU generator, as dropout draws from it: the Mersenne Twister (Matsumoto and Nishimura 1998).

import {tensor, volume} from "./numbers.js";

const LENGTH = 624;
const APART = 397;

export class Mersenne {
  /** @param {number | bigint} seed of which the engine sees the lowest 32 bits */
  constructor(seed) {
    this.words = new Uint32Array(LENGTH);
    this.words[0] = Number(BigInt.asUintN(32, BigInt(seed)));
    for (let place = 1; place < LENGTH; place += 1) {
      const before = this.words[place - 1];
      this.words[place] = Math.imul(1812433253, before ^ (before >>> 30)) + place;
    }
    this.place = LENGTH;
  }

  /** The next 32 bits. */
  word() {
    if (this.place === LENGTH) this.turn();
    let word = this.words[this.place];
    this.place += 1;
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  }

  turn() {
    const {words} = this;
    for (let place = 0; place < LENGTH; place += 1) {
      const joined = (words[place] & 0x80000000) | (words[(place + 1) % LENGTH] & 0x7fffffff);
      words[place] = words[(place + APART) % LENGTH] ^ (joined >>> 1) ^ (joined & 1 ? 0x9908b0df : 0);
    }
    this.place = 0;
  }

  /** Uniform in [0, 1), a double: the lowest 53 of 64 bits, of which the first word is the upper half. */
  uniform() {
    const upperHalf = this.word() & 0x1fffff;
    return (upperHalf * 2 ** 32 + this.word()) * 2 ** -53;
  }

  /** 1 for what F.dropout(x, p) keeps, 0 for what it drops; where p is 0 or 1 nothing is drawn.
   * @param {number} p @param {readonly number[]} shape @param {string} name of the format */
  dropoutMask(p, shape, name) {
    const draw = p === 0 || p === 1 ? () => 1 - p : () => Number(this.uniform() < 1 - p);
    return tensor(Array.from({length: volume(shape)}, draw), name, shape);
  }
}
