/*
 * The consent gate of the secure sum (proto/README.md, rules R1 to R3) with two attempts: attempt 0 over all honest members and the colluders,
 * attempt 1 over the same without the honest member OUT. A leak: the colluders can compute both sums, and with them the values of OUT.
 *
 * H        honest members
 * T        colluders: they sign everything, hold their shares of every seed, and deliver or withhold every message and signature at will
 * NEEDED   shares that open a seed
 * LIES     the ledger shows each member what the colluders like, short of signatures; otherwise it orders certificate 0 and attempt 1 exclusively
 * ERASE    R1: whoever learns of attempt 1 destroys seeds and shares of attempt 0 first
 * STRICT   what `src/round` does beyond R3: whoever released for one attempt releases for no other. R3 itself forbids only to take part in another
 *
 * Every step is the adversary's choice of who acts next. A member that releases gives its own seed and its share of everybody's: asking is free.
 */
#define OUT (H - 1)

bool signed0[H], signed1[H];     /* masked, scattered and READY, in one step: the adversary gains nothing from less */
bool learned[H];                 /* knows of attempt 1 */
bool released0[H], released1[H];
byte count0, count1;             /* READY signatures of honest members */
byte gave0, gave1;               /* honest members that released */
bool certified0, opened1;        /* what an honest ledger has ordered */

#define all0 (count0 == H)
#define all1 (count1 == H - 1)
#define shows0 (all0 && (LIES || certified0))
#define shows1 (LIES || opened1)
#define keeps0(i) (!learned[i] || !ERASE)

/* A seed is known from its owner or from enough shares: the colluders' own and those of honest members other than the owner. */
#define known0(i) (released0[i] || T + gave0 >= NEEDED)
#define known1(i) (released1[i] || T + gave1 >= NEEDED)

inline look() {
  i = 0;
  leak = all0 && all1;
  do
  :: i < H ->
     if
     :: !known0(i) || (i != OUT && !known1(i)) -> leak = false
     :: else
     fi;
     i++
  :: else -> break
  od;
  assert(!leak);
  i = 0
}

inline act(i) {
  if
  :: !signed0[i] && !learned[i] ->
     signed0[i] = true; count0++
  :: !learned[i] && shows1 ->
     learned[i] = true
  :: i != OUT && learned[i] && !signed1[i] && !released0[i] ->
     signed1[i] = true; count1++
  :: shows0 && signed0[i] && keeps0(i) && !released0[i] && !(STRICT && released1[i]) ->
     released0[i] = true; gave0++
  :: all1 && shows1 && learned[i] && !released1[i] && !(STRICT && released0[i]) ->
     released1[i] = true; gave1++
  :: !LIES && all0 && !certified0 && !opened1 ->
     certified0 = true
  :: !LIES && !certified0 && !opened1 ->
     opened1 = true
  fi
}

active proctype adversary() {
  byte who, i;
  bool leak;
  do
  :: atomic { select(who : 0 .. H - 1); act(who); who = 0; look() }
  od
}
