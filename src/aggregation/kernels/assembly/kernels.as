// Word kernels in AssemblyScript: `npm run kernels` compiles this file into `../module.ts`. Every range starts on a multiple of 16 bytes and may be
// read and written up to the next multiple of 64; what lies behind its end is not looked at by the caller.

/** into[l] = into[l] + words[l] modulo 2^32. */
export function add32(into: usize, words: usize, sizeBytes: usize): void {
  for (let at: usize = 0; at < sizeBytes; at += 16) v128.store(into + at, i32x4.add(v128.load(into + at), v128.load(words + at)));
}

/** into[l] = into[l] - words[l] modulo 2^32. */
export function subtract32(into: usize, words: usize, sizeBytes: usize): void {
  for (let at: usize = 0; at < sizeBytes; at += 16) v128.store(into + at, i32x4.sub(v128.load(into + at), v128.load(words + at)));
}

/** into[l] = into[l] + words[l] modulo 2^64. */
export function add64(into: usize, words: usize, sizeBytes: usize): void {
  for (let at: usize = 0; at < sizeBytes; at += 16) v128.store(into + at, i64x2.add(v128.load(into + at), v128.load(words + at)));
}

/** into[l] = into[l] - words[l] modulo 2^64. */
export function subtract64(into: usize, words: usize, sizeBytes: usize): void {
  for (let at: usize = 0; at < sizeBytes; at += 16) v128.store(into + at, i64x2.sub(v128.load(into + at), v128.load(words + at)));
}

// @ts-ignore: decorator
@inline
function addOverflow(low: usize, words: usize): v128 {
  const word = v128.load(words);
  const sum = i32x4.add(v128.load(low), word);
  v128.store(low, sum);
  return i32x4.lt_u(sum, word);
}

/** low[l] = low[l] + words[l] modulo 2^32; carries[l], one byte a word, counts the overflows. */
export function addWithCarries(low: usize, carries: usize, words: usize, sizeBytes: usize): void {
  for (let at: usize = 0; at < sizeBytes; at += 64) {
    const first = i16x8.narrow_i32x4_s(addOverflow(low + at, words + at), addOverflow(low + at + 16, words + at + 16));
    const second = i16x8.narrow_i32x4_s(addOverflow(low + at + 32, words + at + 32), addOverflow(low + at + 48, words + at + 48));
    const place = carries + (at >> 2);
    v128.store(place, i8x16.sub(v128.load(place), i8x16.narrow_i16x8_s(first, second)));
  }
}

// @ts-ignore: decorator
@inline
function limbSum(low: v128, high: v128): u64 {
  const sum = i64x2.add(low, high);
  return i64x2.extract_lane(sum, 0) + i64x2.extract_lane(sum, 1);
}

/** sums[k] = sum over l of words[l] x limbs[k][l], for three limbs of at most 21 bits that lie `stride` bytes apart. */
export function powerSum(words: usize, limbs: usize, stride: usize, sizeBytes: usize, sums: usize): void {
  let a = i64x2.splat(0);
  let b = i64x2.splat(0);
  let c = i64x2.splat(0);
  let d = i64x2.splat(0);
  let e = i64x2.splat(0);
  let f = i64x2.splat(0);
  for (let at: usize = 0; at < sizeBytes; at += 16) {
    const word = v128.load(words + at);
    const first = v128.load(limbs + at);
    const second = v128.load(limbs + stride + at);
    const third = v128.load(limbs + 2 * stride + at);
    a = i64x2.add(a, i64x2.extmul_low_i32x4_u(word, first));
    b = i64x2.add(b, i64x2.extmul_high_i32x4_u(word, first));
    c = i64x2.add(c, i64x2.extmul_low_i32x4_u(word, second));
    d = i64x2.add(d, i64x2.extmul_high_i32x4_u(word, second));
    e = i64x2.add(e, i64x2.extmul_low_i32x4_u(word, third));
    f = i64x2.add(f, i64x2.extmul_high_i32x4_u(word, third));
  }
  store<u64>(sums, limbSum(a, b));
  store<u64>(sums + 8, limbSum(c, d));
  store<u64>(sums + 16, limbSum(e, f));
}

// @ts-ignore: decorator
@inline
function highFloats(floats: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i32>(floats, floats, 2, 3, 2, 3));
}

// @ts-ignore: decorator
@inline
function cut(value: v128, range: f64): v128 {
  return f64x2.max(f64x2.splat(-range), f64x2.min(f64x2.splat(range), value));
}

// @ts-ignore: decorator
@inline
function roundByDraw(scaled: v128, draws: v128): v128 {
  const floor = f64x2.floor(scaled);
  const draw = f64x2.mul(f64x2.convert_low_i32x4_u(draws), f64x2.splat(1.0 / 4294967296.0));
  const up = v128.and(f64x2.lt(draw, f64x2.sub(scaled, floor)), f64x2.splat(1.0));
  return i32x4.trunc_sat_f64x2_s_zero(f64x2.add(floor, up));
}

/** into[l] = round by draws[l] of cut((trained[l] - base[l]) x gain) x scale; gives how many values were cut. */
export function quantise(into: usize, trained: usize, base: usize, draws: usize, sizeBytes: usize, gain: f64, range: f64, scale: f64): i32 {
  let unequal = i64x2.splat(0);
  for (let at: usize = 0; at < sizeBytes; at += 16) {
    const after = v128.load(trained + at);
    const before = v128.load(base + at);
    const draw = v128.load(draws + at);
    const low = f64x2.mul(f64x2.sub(f64x2.promote_low_f32x4(after), f64x2.promote_low_f32x4(before)), f64x2.splat(gain));
    const high = f64x2.mul(f64x2.sub(highFloats(after), highFloats(before)), f64x2.splat(gain));
    const cutLow = cut(low, range);
    const cutHigh = cut(high, range);
    unequal = i64x2.add(unequal, i64x2.add(f64x2.ne(low, cutLow), f64x2.ne(high, cutHigh)));
    const integersLow = roundByDraw(f64x2.mul(cutLow, f64x2.splat(scale)), draw);
    const integersHigh = roundByDraw(f64x2.mul(cutHigh, f64x2.splat(scale)), v128.shuffle<i32>(draw, draw, 2, 3, 2, 3));
    v128.store(into + at, v128.shuffle<i32>(integersLow, integersHigh, 0, 1, 4, 5));
  }
  return -(<i32>(i64x2.extract_lane(unequal, 0) + i64x2.extract_lane(unequal, 1)));
}

/** into[l] = fround(base[l] + (words[l] x unit) / weight), words as signed 32-bit integers. */
export function dequantise(into: usize, base: usize, words: usize, sizeBytes: usize, unit: f64, weight: f64): void {
  for (let at: usize = 0; at < sizeBytes; at += 16) {
    const word = v128.load(words + at);
    const before = v128.load(base + at);
    const stepLow = f64x2.div(f64x2.mul(f64x2.convert_low_i32x4_s(word), f64x2.splat(unit)), f64x2.splat(weight));
    const stepHigh = f64x2.div(f64x2.mul(f64x2.convert_low_i32x4_s(v128.shuffle<i32>(word, word, 2, 3, 2, 3)), f64x2.splat(unit)), f64x2.splat(weight));
    const low = f32x4.demote_f64x2_zero(f64x2.add(f64x2.promote_low_f32x4(before), stepLow));
    const high = f32x4.demote_f64x2_zero(f64x2.add(highFloats(before), stepHigh));
    v128.store(into + at, v128.shuffle<i32>(low, high, 0, 1, 4, 5));
  }
}
